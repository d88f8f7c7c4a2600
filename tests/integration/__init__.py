"""Parts of the product together, on real sockets of the loopback interface."""
