"""Measurements of the whole: `python -m bench`. See README.md."""
