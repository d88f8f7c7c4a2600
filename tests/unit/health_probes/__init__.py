"""What the probes decide without a socket: words, places, networks."""
