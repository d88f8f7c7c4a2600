"""The HTTP surface without a socket: parsing, rendering, problems, metrics."""
