"""A replicated log of opaque bytes: Raft, made durable and safe. Knows nothing of
services.
"""
