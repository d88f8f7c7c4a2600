"""Catalog values as the JSON of the native API: the seed's fields first, then ours."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import lru_cache

import msgspec
import orjson
from aiohttp import web

from registry.discovery import ServiceAnswer, ServiceCounts, ServicesAnswer
from registry.model import Drain, Instance
from registry.ports import ClusterView, MemberView

FieldsOf = Callable[[Instance], dict[str, object]]
"""How one instance is shown."""

INDEX_HEADER = "X-Registry-Index"


@lru_cache(maxsize=8192)
def _timestamp(at_s: int) -> str:
    return datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def timestamp(at_ms: int) -> str:
    """Return wall time as the seed writes it, in whole seconds."""
    return _timestamp(at_ms // 1000)


def instance_fields(instance: Instance) -> dict[str, object]:
    """One instance; what is empty is left out."""
    registration = instance.registration
    fields: dict[str, object] = {
        "service_id": registration.service_id,
        "host": registration.host,
        "port": registration.port,
        "status": instance.status.value,
        "last_heartbeat": timestamp(instance.last_heartbeat_ms),
    }
    if registration.metadata:
        fields["metadata"] = registration.metadata
    if registration.tags:
        fields["tags"] = registration.tags
    if registration.zone:
        fields["zone"] = registration.zone
    fields["weight"] = registration.weight
    if registration.version:
        fields["version"] = registration.version
    if registration.health_endpoint:
        fields["health_endpoint"] = registration.health_endpoint
    if registration.check is not None:
        # What follows the registry's settings is left out of it.
        check = msgspec.structs.asdict(registration.check)
        fields["check"] = {name: value for name, value in check.items() if value}
    fields["registered_at"] = timestamp(registration.registered_at_ms)
    fields["generation"] = registration.generation
    return fields


def detailed_fields(instance: Instance, drain: Drain | None) -> dict[str, object]:
    """One instance with the reason for its status, and the drain that holds it."""
    fields = instance_fields(instance)
    fields["cause"] = instance.cause
    # 0: from a version before ours, which did not note it.
    if instance.since_ms:
        fields["since"] = timestamp(instance.since_ms)
    if drain is not None:
        details: dict[str, object] = {
            "reason": drain.reason,
            "since": timestamp(drain.at_ms),
        }
        if drain.limit_seconds:
            details["limit_seconds"] = drain.limit_seconds
        fields["drain"] = details
    return fields


def first_listed(instances: Sequence[Instance], at_s: int) -> int:
    """Return which instance is listed first: another one each second."""
    return at_s % len(instances) if instances else 0


def rotate(instances: tuple[Instance, ...], at_s: int) -> tuple[Instance, ...]:
    """Return the instances in the order in which they are listed now."""
    start = first_listed(instances, at_s)
    return instances[start:] + instances[:start] if start else instances


def service_body(
    answer: ServiceAnswer, at_s: int, fields: FieldsOf = instance_fields
) -> bytes:
    """Return the body of ``GET /services/{name}`` at once: for a few instances."""
    listed = rotate(answer.instances, at_s)
    return orjson.dumps(
        {
            "service_name": answer.name,
            "instances": [fields(i) for i in listed],
        }
    )


def service_head(name: str) -> bytes:
    """Return what stands before the first instance of such a body."""
    return b'{"service_name":' + orjson.dumps(name) + b',"instances":['


def json_response(body: bytes, headers: dict[str, str] | None = None) -> web.Response:
    """Return a 200 with a rendered JSON body."""
    return web.Response(body=body, headers=headers, content_type="application/json")


def services_body(answer: ServicesAnswer) -> bytes:
    """Return the body of ``GET /services``; ``next`` is the next page's ``after``."""
    document: dict[str, object] = {
        "services": [_counts_fields(s) for s in answer.services]
    }
    if answer.more and answer.services:
        document["next"] = answer.services[-1].name
    return orjson.dumps(document)


def _counts_fields(counts: ServiceCounts) -> dict[str, object]:
    return {
        "service_name": counts.name,
        "instances": counts.instances,
        "healthy": counts.healthy,
    }


def written_body(service_id: str, status: str) -> bytes:
    """Return the body that every successful write is answered with."""
    return orjson.dumps({"service_id": service_id, "status": status})


def written_response(service_id: str, status: str, index: int) -> web.Response:
    """Return the answer to a write that took effect at this index."""
    body = written_body(service_id, status)
    return json_response(body, {INDEX_HEADER: str(index)})


def cluster_body(view: ClusterView, degraded: Sequence[str]) -> bytes:
    """Return the body of ``GET /cluster``: this replica's own view."""
    return orjson.dumps(
        {
            "node_id": view.node_id,
            "role": view.role,
            "term": view.term,
            "leader": view.leader,
            "index": view.applied_index,
            "cluster_id": view.cluster_id,
            "epoch": view.epoch,
            "caught_up": view.caught_up,
            "contact_age_ms": _age_ms(view.contact_age_s),
            "degraded": degraded,
            "waiting_for": view.waiting_for,
            "members": [_member_fields(m, view.commit_index) for m in view.members],
        }
    )


def _member_fields(member: MemberView, commit_index: int) -> dict[str, object]:
    index = member.applied_index
    return {
        "node_id": member.node_id,
        "http": member.advertise,
        "connected": member.connected,
        "index": index,
        # What a member told can be newer than our own commit index: never negative.
        "lag": None if index is None else max(0, commit_index - index),
        "contact_age_ms": _age_ms(member.contact_age_s),
    }


def _age_ms(age_s: float | None) -> int | None:
    return None if age_s is None else int(age_s * 1000)
