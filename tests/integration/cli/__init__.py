"""The command line with real processes and sockets."""
