"""Whole clusters of real processes, and the seed's clients."""
