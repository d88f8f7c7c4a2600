"""From a Register in the log to the registration that is kept. Pure."""

from registry.catalog.commands import Register
from registry.model import Registration, Status


def registration_of(position: int, command: Register) -> Registration:
    """Return the registration; its generation is the position."""
    return Registration(
        service_id=command.service_id,
        name=command.name,
        host=command.host,
        port=command.port,
        generation=position,
        registered_at_ms=command.at_ms,
        ttl_seconds=command.ttl_seconds,
        health_endpoint=command.health_endpoint,
        metadata=command.metadata,
        tags=command.tags,
        zone=command.zone,
        weight=command.weight,
        version=command.version,
        check=command.check,
        # Not kept by the version that wrote schema 1, nor in its snapshots (I1).
        initial_status=command.initial_status
        if command.schema >= 2
        else Status.HEALTHY,
        exclusive=command.exclusive,
    )
