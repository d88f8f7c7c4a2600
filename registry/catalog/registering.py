"""From a Register in the log to the registration that is kept. Pure.

It shares with the others what repeats, as one does that is read from a snapshot.
"""

from sys import intern

from registry.catalog.commands import Register
from registry.catalog.sharing import (
    shared_check,
    shared_host,
    shared_metadata,
    shared_seconds,
    shared_tags,
)
from registry.model import Registration, ServiceName, Status


def registration_of(position: int, command: Register) -> Registration:
    """Return the registration; its generation is the position."""
    ttl_s, endpoint = command.ttl_seconds, command.health_endpoint
    zone, version = command.zone, command.version
    metadata, tags = command.metadata, command.tags
    check, status = command.check, command.initial_status
    if command.schema < 2:
        # Not kept by the version that wrote schema 1, nor in its snapshots (I1).
        status = Status.HEALTHY
    # By position: a third of what the names of so many fields would cost.
    return Registration(
        command.service_id,
        ServiceName(intern(command.name)),
        shared_host(command.host),
        command.port,
        position,
        command.at_ms,
        ttl_s and shared_seconds(ttl_s),
        endpoint and intern(endpoint),
        metadata and shared_metadata(metadata),
        tags and shared_tags(tags),
        zone and intern(zone),
        command.weight,
        version and intern(version),
        check and shared_check(check),
        status,
        command.exclusive,
    )
