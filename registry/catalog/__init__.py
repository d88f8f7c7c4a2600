"""The replicated catalog: commands in, outcomes out, views for readers. Pure."""
