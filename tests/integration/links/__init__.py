"""The links on loopback sockets."""
