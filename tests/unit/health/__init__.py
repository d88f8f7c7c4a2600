"""The health checks, in virtual time over the real catalog, with scripted probes."""
