"""The catalog's samples: what each file in ``catalog_schema_1/`` means, and its maker.

``python -m tests.formats.catalog_samples`` writes the files that are missing, with the
code at hand, and leaves those that exist as they are: they are what was really written
by the version that introduced them.
"""

import sys
from pathlib import Path

import msgspec

from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Expire,
    Expiry,
    Register,
    Renew,
    SetStatus,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.model import ServiceId, ServiceName, Status

FOLDER = Path(__file__).parent / "catalog_schema_1"

A = ServiceId("5f0c1f5e-8f0e-4c1e-9f43-0d3a3a5a0001")
B = ServiceId("orders-eu-1")
AT_MS = 1_769_126_040_000

HISTORY: tuple[tuple[str, int, AnyCommand, Outcome], ...] = (
    (
        "register_as_the_seed_does",
        256,
        Register(
            service_id=A,
            name=ServiceName("my-service"),
            host="my-service",
            port=8500,
            at_ms=AT_MS,
            ttl_seconds=300.0,
            health_endpoint="/health",
            metadata={"version": "1.0.0", "region": "us-east-1"},
        ),
        Outcome(Code.OK, 256),
    ),
    (
        "register_with_every_field",
        257,
        Register(
            service_id=B,
            name=ServiceName("orders"),
            host="fe80::1%eth0",
            port=65_535,
            at_ms=AT_MS + 1,
            ttl_seconds=0.5,
            health_endpoint="http://orders/health?deep=1",
            metadata={"text": "grün", "whole": 2**53, "part": 0.25, "flag": True},
            tags=("blue", "eu"),
            zone="eu-1a",
            weight=0,
            version="2.1.0-rc.1",
            initial_status=Status.STARTING,
        ),
        Outcome(Code.OK, 257),
    ),
    (
        "set_status",
        512,
        SetStatus(
            service_id=B,
            generation=257,
            status=Status.UNHEALTHY,
            cause="connection refused",
            at_ms=AT_MS + 2,
        ),
        Outcome(Code.OK),
    ),
    (
        "renew",
        768,
        Renew(service_ids=(A, ServiceId("nobody")), at_ms=AT_MS + 3),
        Outcome(Code.OK, 0, (Code.OK, Code.UNKNOWN_SERVICE_ID)),
    ),
    (
        "expire",
        1024,
        Expire(
            schema=1, items=(Expiry(A, 256, 256), Expiry(B, 257, 257)), at_ms=AT_MS + 4
        ),
        Outcome(Code.OK, 0, (Code.RENEWED_SINCE, Code.OK)),
    ),
    (
        "deregister",
        1280,
        Deregister(service_id=ServiceId("nobody"), at_ms=AT_MS + 5),
        Outcome(Code.UNKNOWN_SERVICE_ID),
    ),
)
"""File name, position, what is in the file, and the outcome when applied in order."""

SNAPSHOT = "snapshot"
"""The snapshot after the whole history, as a msgpack array of its chunks."""


def path_of(name: str) -> Path:
    """Return the file of a sample."""
    return FOLDER / f"{name}.msgpack"


def after_history() -> CatalogMachine:
    """Return a machine that has applied the commands as they stand in the files."""
    machine = CatalogMachine()
    for name, position, _, _ in HISTORY:
        machine.apply(position, path_of(name).read_bytes())
        machine.applied(position >> 8)
    return machine


def write_missing() -> list[Path]:
    """Write the samples that do not exist yet; return their paths."""
    FOLDER.mkdir(exist_ok=True)
    written = []
    for name, _, command, _ in HISTORY:
        if not path_of(name).exists():
            path_of(name).write_bytes(msgspec.msgpack.encode(command))
            written.append(path_of(name))
    if not path_of(SNAPSHOT).exists():
        chunks = list(after_history().snapshot())
        path_of(SNAPSHOT).write_bytes(msgspec.msgpack.encode(chunks))
        written.append(path_of(SNAPSHOT))
    return written


if __name__ == "__main__":
    for path in write_missing():
        sys.stdout.write(f"wrote {path}\n")
