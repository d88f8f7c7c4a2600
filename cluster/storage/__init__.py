"""What is on the disk: log segments, snapshots, and the lock on the data directory."""
