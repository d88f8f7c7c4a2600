"""The service registry: catalog, use cases, HTTP API and command line."""
