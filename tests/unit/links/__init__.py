"""The links without sockets: keys, framing, seals, handshake."""
