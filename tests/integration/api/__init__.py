"""The HTTP surface through a real server on loopback, over a fake consensus."""
