"""The only package that imports PySyncObj: its core, and every repair around it."""
