"""What the verbs of `Bed` are done to: processes, and containers."""
