"""What is measured beside ours, one file each: a new peer is a file and a line here."""
