"""The disk and the clock that the library `shim` gives to a process."""
