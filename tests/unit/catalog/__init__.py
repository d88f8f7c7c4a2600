"""The replicated catalog, driven as the log drives it."""
