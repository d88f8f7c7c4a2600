"""The HTTP surface: paths, methods, JSON shapes and problem documents; no decisions."""
