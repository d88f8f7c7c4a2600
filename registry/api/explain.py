"""Why a status is what it is: histories, single instances, and the whole explanation.

Reads like the others: from this replica, with ``min_index``, ``consistent``, ``stale``.
"""

import orjson
from aiohttp import web
from msgspec.structs import replace

from registry.api import options, parse
from registry.api.render import instance_fields, json_response, timestamp
from registry.catalog.records import Lease, key_of
from registry.discovery import Discovery
from registry.errors import InvalidField, UnknownServiceId
from registry.findings import Explanation
from registry.health.plan import Plan
from registry.model import Drain, Instance, Transition
from registry.ports import Clock
from registry.readiness import degraded
from registry.refusals import Refusal
from registry.why import Why

MAX_HISTORY = 50
MAX_QUERY_CHARS = 512


class ExplainApi:
    """The handlers, and their place in the URL space."""

    def __init__(
        self, *, why: Why, discovery: Discovery, clock: Clock, request_deadline_s: float
    ) -> None:
        self._why = why
        self._discovery = discovery
        self._clock = clock
        self._request_deadline_s = request_deadline_s

    def routes(self) -> list[web.RouteDef]:
        """Return the table of paths."""
        return [
            web.get("/services/{service_name}/history", self.history),
            web.get("/instances/{service_id}", self.instance),
            web.get("/why", self.why),
        ]

    async def history(self, request: web.Request) -> web.Response:
        """``GET /services/{service_name}/history``: newest first."""
        name = parse.service_name(request.match_info["service_name"])
        await self._reach(request)
        lines = self._why.catalog.history(name)[::-1][:MAX_HISTORY]
        document = {"service_name": name, "history": [_line(t) for t in lines]}
        return json_response(orjson.dumps(document))

    async def instance(self, request: web.Request) -> web.Response:
        """``GET /instances/{service_id}``: living, or gone."""
        service_id = parse.service_id(request.match_info["service_id"])
        await self._reach(request)
        catalog = self._why.catalog
        instance, lease = catalog.instance(service_id), catalog.lease(service_id)
        if instance is not None and lease is not None:
            r = lease.registration
            fields = _shown(_seen_from(lease, instance))
            fields["lease"] = {
                "ttl_seconds": r.ttl_seconds,
                "last_heartbeat": timestamp(lease.heartbeat_ms),
                "expired": lease.expired,
            }
            plan = self._why.plan(r)
            fields["check"] = None if plan is None else _plan(plan)
            drain = catalog.drain(key_of(r))
            fields["drain"] = None if drain is None else _drain(drain)
            return json_response(orjson.dumps(fields))
        gone = catalog.gone(service_id)
        if gone is None:
            raise UnknownServiceId("no registration has that id, or had it lately")
        r = gone.registration
        fields = {
            "service_id": service_id,
            "service_name": r.name,
            "host": r.host,
            "port": r.port,
            "status": "gone",
            "cause": gone.cause,
            "at": timestamp(gone.at_ms),
            "last_heartbeat": timestamp(gone.heartbeat_ms),
            "registered_at": timestamp(r.registered_at_ms),
        }
        return json_response(orjson.dumps(fields))

    async def why(self, request: web.Request) -> web.Response:
        """``GET /why?q=NAME|ID|HOST|HOST:PORT``."""
        asked = request.rel_url.query.getall("q", [])
        if len(asked) != 1 or not 1 <= len(asked[0]) <= MAX_QUERY_CHARS:
            rule = f"q must be given once, with 1 to {MAX_QUERY_CHARS} characters"
            raise InvalidField(rule, field="q")
        await self._reach(request)
        explanation = await self._why.explain(asked[0])
        return json_response(orjson.dumps(_document(explanation)))

    async def _reach(self, request: web.Request) -> None:
        _, consistency = options.services_options(request.rel_url)
        deadline_s = self._clock.now_s() + self._request_deadline_s
        await self._discovery.reach(consistency, deadline_s=deadline_s)


def _seen_from(lease: Lease, instance: Instance) -> Instance:
    """Return the instance as if no newer registration stood behind it.

    Status and cause are the instance's; all else is the registration's own.
    """
    heartbeat_ms = lease.heartbeat_ms
    return replace(
        instance, registration=lease.registration, last_heartbeat_ms=heartbeat_ms
    )


def _plan(plan: Plan) -> dict[str, object]:
    return {
        "kind": plan.kind,
        "path": plan.path,
        "interval_seconds": plan.interval_s,
        "timeout_seconds": plan.timeout_s,
        "failures": plan.failures,
        "successes": plan.successes,
        "expected_status": plan.expected_status,
    }


def _document(of: Explanation) -> dict[str, object]:
    view = of.view
    return {
        "query": of.query,
        "matched": of.matched,
        "names": of.names,
        "counts": {"instances": of.total, "healthy": of.healthy},
        "findings": [
            {"code": f.code, "text": f.text, "advice": f.advice} for f in of.findings
        ],
        "instances": [_shown(i) for i in of.instances],
        "drains": [{"service_id": i, **_drain(d)} for i, d in of.drains],
        "gone": [_line(t) for t in of.gone],
        "history": [_line(t) for t in of.history],
        "shared_addresses": [{"address": a, "services": n} for a, n in of.shared],
        "refusals": [_refusal(r) for r in of.refusals],
        "nearest": of.nearest,
        "replica": {
            "node_id": view.node_id,
            "role": view.role,
            "caught_up": view.caught_up,
            "index": view.applied_index,
            "degraded": degraded(view),
        },
    }


def _shown(instance: Instance) -> dict[str, object]:
    fields = instance_fields(instance)
    fields["service_name"] = instance.registration.name
    fields["cause"] = instance.cause
    if instance.since_ms:  # Not known of what came from a version before ours.
        fields["since"] = timestamp(instance.since_ms)
    fields["registrations"] = instance.registrations
    return fields


def _line(line: Transition) -> dict[str, object]:
    return {
        "at": timestamp(line.at_ms),
        "service_id": line.service_id,
        "host": line.host,
        "port": line.port,
        "from": line.before,
        "to": line.after,
        "cause": line.cause,
        "index": line.position >> 8,
    }


def _drain(drain: Drain) -> dict[str, object]:
    return {
        "reason": drain.reason,
        "at": timestamp(drain.at_ms),
        "limit_seconds": drain.limit_seconds,
    }


def _refusal(refusal: Refusal) -> dict[str, object]:
    return {
        "at": timestamp(refusal.at_ms),
        "peer": refusal.peer,
        "request": refusal.request,
        "name": refusal.name,
        "service_id": refusal.service_id,
        "host": refusal.host,
        "code": refusal.code,
        "detail": refusal.detail,
    }
