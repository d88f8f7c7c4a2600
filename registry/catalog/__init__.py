"""The replicated catalog: commands in, outcomes out, immutable views for readers. Pure.
"""
