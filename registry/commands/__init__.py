"""The command line, one module per command; ``root`` is the table of them."""
