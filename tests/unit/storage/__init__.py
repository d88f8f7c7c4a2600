"""What is on the disk, judged on a simulated one."""
