"""What goes into the image of the containers that hold networks and disks."""
