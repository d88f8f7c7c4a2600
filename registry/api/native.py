"""The seed's API: register, heartbeat, deregister, and discovery of services.

A handler parses, calls one use case and renders; it decides nothing.
"""

import asyncio
import zlib
from dataclasses import dataclass

from aiohttp import web

from registry.api import bodies, options, parse, render
from registry.api.hot_reads import HotReads
from registry.api.render import INDEX_HEADER, written_response
from registry.discovery import HEALTHY, PLAIN, Discovery, InstanceFilter, Provenance
from registry.errors import Overloaded
from registry.ports import Clock
from registry.registrar import Registrar

AGE_HEADER = "X-Registry-Age-Ms"
STALE_HEADER = "X-Registry-Stale"


@dataclass(frozen=True, slots=True)
class NativeDependencies:
    """What the native handlers use."""

    node_id: str
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
        self._bodies = bodies.ServiceBodies(deps.discovery, deps.clock)
        self.hot_reads = HotReads(
            deps.discovery,
            self._bodies,
            deps.clock,
            node_id=deps.node_id,
            headers=self._service_headers,
        )

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
        return written_response(written.service_id, "registered", written.index)

    async def deregister(self, request: web.Request) -> web.Response:
        """``DELETE /deregister/{service_id}``."""
        service_id = parse.service_id(request.match_info["service_id"])
        written = await self._registrar.deregister(
            service_id, deadline_s=self._deadline_s()
        )
        return written_response(written.service_id, "deregistered", written.index)

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
        return written_response(written.service_id, "ok", written.index)

    async def service(self, request: web.Request) -> web.Response:
        """``GET /services/{service_name}``."""
        name = parse.service_name(request.match_info["service_name"])
        wanted, consistency = options.service_options(request.rel_url)
        deadline_s = self._deadline_s()
        provenance = await self._discovery.reach(consistency, deadline_s=deadline_s)
        index = self._discovery.service_index(name)
        headers = self._service_headers(wanted, index)
        _tell(provenance, headers)
        if consistency is PLAIN:
            target = request.raw_path.encode("utf-8", "surrogateescape")
            self.hot_reads.learn(target, name, wanted)
        condition = request.headers.get("If-None-Match")
        if options.is_unchanged(condition, headers.get("ETag")):
            return web.Response(status=304, headers=headers)
        body = await self._service_body(name, wanted, deadline_s)
        if body.index != index:
            headers |= self._service_headers(wanted, body.index)
        return bodies.response(body, headers)

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

    def _service_headers(self, wanted: InstanceFilter, index: int) -> dict[str, str]:
        headers = {INDEX_HEADER: str(index)}
        cluster_id = self._discovery.cluster_id()
        if cluster_id:
            headers["ETag"] = etag(cluster_id, index, wanted)
        return headers

    async def _service_body(
        self, name: str, wanted: InstanceFilter, deadline_s: float
    ) -> bodies.Body:
        kept = self._bodies.kept(name, wanted)
        if kept is not None:
            return kept
        try:
            async with asyncio.timeout(max(0.0, deadline_s - self._clock.now_s())):
                return await self._bodies.build(name, wanted)
        except TimeoutError as error:
            raise Overloaded("the list could not be put together in time") from error

    def _deadline_s(self) -> float:
        """Counted from when the request is whole: a slow body has its own bound."""
        return self._clock.now_s() + self._request_deadline_s


def etag(cluster_id: str, index: int, wanted: InstanceFilter) -> str:
    """Return what names one state of one list.

    The cluster is part of it, since one that is founded anew counts from 1 again; so is
    what was asked for, since caches and clients may keep several answers for a path.
    """
    opaque = f"{cluster_id[:8]}-{index}"
    if wanted is not HEALTHY:
        opaque += f"-{zlib.crc32(repr(wanted).encode()):08x}"
    return f'W/"{opaque}"'


def _tell(provenance: Provenance, headers: dict[str, str]) -> None:
    """Mark an answer that may be old (I10)."""
    if provenance.age_ms is not None:
        headers[AGE_HEADER] = str(provenance.age_ms)
    if provenance.stale:
        headers[STALE_HEADER] = "true"
