"""Health checks: the leader probes instances and proposes what follows from it."""
