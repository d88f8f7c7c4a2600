"""Probes of every kind against real servers on loopback."""
