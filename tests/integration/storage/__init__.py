"""The storage on a real disk, with real threads."""
