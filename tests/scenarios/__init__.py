"""Scripted stories of a cluster, one repair each."""
