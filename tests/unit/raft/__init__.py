"""The parts of one replica's Raft, each alone."""
