"""The parts around Raft: batches, ledger, duties, waiters, status."""
