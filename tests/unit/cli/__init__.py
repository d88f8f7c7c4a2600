"""The command line without processes and sockets."""
