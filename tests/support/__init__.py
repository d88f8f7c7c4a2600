"""Fakes and the simulation's parts, used by several kinds of tests."""
