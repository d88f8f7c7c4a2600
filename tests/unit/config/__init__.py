"""Settings, their sources, the rules between them, and logs."""
