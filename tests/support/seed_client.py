# ruff: noqa: D101, D102, W293
# mypy: ignore-errors
"""The Python client of the seed document, to the letter: it must work unchanged.

Only the class between the two marks is the document's; `seed_client` gives it types for
the tests. It blocks, so tests run it in a thread.
"""

from typing import Protocol

# --- from the document ---
# fmt: off
import requests


class ServiceRegistryClient:
    def __init__(self, registry_url="http://service-registry:8100"):
        self.registry_url = registry_url
        self.service_id = None
    
    def register(self, name, host, port, health_endpoint="/health"):
        response = requests.post(
            f"{self.registry_url}/register",
            json={
                "name": name,
                "host": host,
                "port": port,
                "health_endpoint": health_endpoint
            }
        )
        self.service_id = response.json()["service_id"]
        return self.service_id
    
    def heartbeat(self):
        """Send periodic heartbeat"""
        if self.service_id:
            requests.post(
                f"{self.registry_url}/heartbeat/{self.service_id}"
            )
    
    def discover(self, service_name):
        """Discover service instances"""
        response = requests.get(
            f"{self.registry_url}/services/{service_name}"
        )
        return response.json()["instances"]
    
    def deregister(self):
        """Deregister on shutdown"""
        if self.service_id:
            requests.delete(
                f"{self.registry_url}/deregister/{self.service_id}"
            )
# fmt: on
# --- end ---


class SeedClient(Protocol):
    """What the document's client offers."""

    service_id: str | None

    def register(self, name: str, host: str, port: int) -> str:
        """Register; return the id."""

    def heartbeat(self) -> None:
        """Renew."""

    def discover(self, service_name: str) -> list[dict[str, object]]:
        """Return the instances."""

    def deregister(self) -> None:
        """Deregister."""


def seed_client(url: str) -> SeedClient:
    """Return the document's client of the registry at ``url``."""
    return ServiceRegistryClient(url)
