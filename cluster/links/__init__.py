"""Authenticated, sealed connections between replicas; they carry opaque frames."""
