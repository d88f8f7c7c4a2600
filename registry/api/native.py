"""The seed's API: register, heartbeat, deregister, and discovery of services.

A handler parses, calls one use case and renders; it decides nothing.
"""

from dataclasses import dataclass

from aiohttp import web

from registry.api import options, parse, render
from registry.discovery import HEALTHY, Discovery, InstanceFilter, Provenance
from registry.ports import Clock
from registry.registrar import Registrar, Written

INDEX_HEADER = "X-Registry-Index"
AGE_HEADER = "X-Registry-Age-Ms"
STALE_HEADER = "X-Registry-Stale"


@dataclass(frozen=True, slots=True)
class NativeDependencies:
    """What the native handlers use."""

    registrar: Registrar
    discovery: Discovery
    clock: Clock
    request_deadline_s: float
    body_within_s: float


class NativeApi:
    """The handlers, and their place in the URL space."""

    def __init__(self, deps: NativeDependencies) -> None:
        self._registrar = deps.registrar
        self._discovery = deps.discovery
        self._clock = deps.clock
        self._body_within_s = deps.body_within_s
        self._request_deadline_s = deps.request_deadline_s
        self._bodies = render.ServiceBodies()

    def routes(self) -> list[web.RouteDef]:
        """Return the table of paths."""
        return [
            web.post("/register", self.register),
            web.delete("/deregister/{service_id}", self.deregister),
            web.post("/heartbeat/{service_id}", self.heartbeat),
            web.get("/services", self.services),
            web.get("/services/{service_name}", self.service),
        ]

    async def register(self, request: web.Request) -> web.Response:
        """``POST /register``."""
        body = await parse.read_body(request, within_s=self._body_within_s)
        wanted = parse.registration(body)
        written = await self._registrar.register(wanted, deadline_s=self._deadline_s())
        return _written(written, "registered")

    async def deregister(self, request: web.Request) -> web.Response:
        """``DELETE /deregister/{service_id}``."""
        service_id = parse.service_id(request.match_info["service_id"])
        written = await self._registrar.deregister(
            service_id, deadline_s=self._deadline_s()
        )
        return _written(written, "deregistered")

    async def heartbeat(self, request: web.Request) -> web.Response:
        """``POST /heartbeat/{service_id}``, with or without a body."""
        service_id = parse.service_id(request.match_info["service_id"])
        report = None
        if request.body_exists:
            body = await parse.read_body(request, within_s=self._body_within_s)
            report = parse.status_report(body)
        written = await self._registrar.heartbeat(
            service_id, deadline_s=self._deadline_s(), report=report
        )
        return _written(written, "ok")

    async def service(self, request: web.Request) -> web.Response:
        """``GET /services/{service_name}``."""
        name = parse.service_name(request.match_info["service_name"])
        wanted, consistency = options.service_options(request.rel_url)
        provenance = await self._discovery.reach(
            consistency, deadline_s=self._deadline_s()
        )
        index = self._discovery.service_index(name)
        etag = f'W/"{index}"'
        headers = {INDEX_HEADER: str(index), "ETag": etag}
        _tell(provenance, headers)
        if options.is_unchanged(request.headers.get("If-None-Match"), etag):
            return web.Response(status=304, headers=headers)
        return render.json_response(self._service_body(name, wanted, index), headers)

    async def services(self, request: web.Request) -> web.Response:
        """``GET /services``."""
        page, consistency = options.services_options(request.rel_url)
        provenance = await self._discovery.reach(
            consistency, deadline_s=self._deadline_s()
        )
        answer = self._discovery.services(after=page.after, limit=page.limit)
        headers = {INDEX_HEADER: str(answer.index)}
        _tell(provenance, headers)
        return render.json_response(render.services_body(answer), headers)

    def _service_body(self, name: str, wanted: InstanceFilter, index: int) -> bytes:
        wall_ms = self._clock.wall_ms()
        if wanted is not HEALTHY:
            return render.service_body(self._discovery.service(name, wanted), wall_ms)
        body = self._bodies.get(name, index, wall_ms)
        if body is None:
            body = self._bodies.build(self._discovery.service(name, HEALTHY), wall_ms)
        return body

    def _deadline_s(self) -> float:
        """Counted from when the request is whole: a slow body has its own bound."""
        return self._clock.now_s() + self._request_deadline_s


def _written(written: Written, status: str) -> web.Response:
    body = render.written_body(written.service_id, status)
    return render.json_response(body, {INDEX_HEADER: str(written.index)})


def _tell(provenance: Provenance, headers: dict[str, str]) -> None:
    """Mark an answer that may be old (I10)."""
    if provenance.age_ms is not None:
        headers[AGE_HEADER] = str(provenance.age_ms)
    if provenance.stale:
        headers[STALE_HEADER] = "true"
