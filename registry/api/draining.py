"""Drain and undrain over HTTP: one instance by its id, or all of a host.

Ids and hosts are looked up in this replica's catalog, so it must first hold every write
acknowledged before: the register just answered by another replica, too.
"""

from dataclasses import dataclass

import orjson
from aiohttp import web

from registry.api import parse, render
from registry.discovery import Consistency, Discovery
from registry.drains import Drained, DrainRequest, Drains
from registry.ports import Clock

_EVERY_WRITE = Consistency(consistent=True)


@dataclass(frozen=True, slots=True)
class DrainingDependencies:
    """What these handlers use."""

    drains: Drains
    discovery: Discovery
    clock: Clock
    request_deadline_s: float
    body_within_s: float


class DrainingApi:
    """The handlers, and their place in the URL space."""

    def __init__(self, deps: DrainingDependencies) -> None:
        self._deps = deps
        self._drains = deps.drains

    def routes(self) -> list[web.RouteDef]:
        """Return the table of paths."""
        return [
            web.post("/instances/{service_id}/drain", self.drain),
            web.post("/instances/{service_id}/undrain", self.undrain),
            web.post("/hosts/{host}/drain", self.drain_host),
            web.post("/hosts/{host}/undrain", self.undrain_host),
        ]

    async def drain(self, request: web.Request) -> web.Response:
        """``POST /instances/{service_id}/drain``, with or without a body."""
        service_id = parse.service_id(request.match_info["service_id"])
        wanted = await self._request(request)
        deadline_s = await self._caught_up()
        index = await self._drains.drain(service_id, wanted, deadline_s=deadline_s)
        return render.written_response(service_id, "draining", index)

    async def undrain(self, request: web.Request) -> web.Response:
        """``POST /instances/{service_id}/undrain``."""
        service_id = parse.service_id(request.match_info["service_id"])
        deadline_s = await self._caught_up()
        index = await self._drains.undrain(service_id, deadline_s=deadline_s)
        return render.written_response(service_id, "undrained", index)

    async def drain_host(self, request: web.Request) -> web.Response:
        """``POST /hosts/{host}/drain``: every instance that is registered there."""
        host = parse.host_in_path(request.match_info["host"])
        wanted = await self._request(request)
        deadline_s = await self._caught_up()
        done = await self._drains.drain_host(host, wanted, deadline_s=deadline_s)
        return _done(host, "drained", done)

    async def undrain_host(self, request: web.Request) -> web.Response:
        """``POST /hosts/{host}/undrain``."""
        host = parse.host_in_path(request.match_info["host"])
        deadline_s = await self._caught_up()
        done = await self._drains.undrain_host(host, deadline_s=deadline_s)
        return _done(host, "undrained", done)

    async def _request(self, request: web.Request) -> DrainRequest:
        if not request.body_exists:
            return DrainRequest()
        within_s = self._deps.body_within_s
        return parse.drain(await parse.read_body(request, within_s=within_s))

    async def _caught_up(self) -> float:
        """Reach what is acknowledged by now; return the deadline of the whole request.

        Raises a leaf of NotReplicated, or NotCaughtUp.
        """
        deadline_s = self._deps.clock.now_s() + self._deps.request_deadline_s
        await self._deps.discovery.reach(_EVERY_WRITE, deadline_s=deadline_s)
        return deadline_s


def _done(host: str, what: str, done: Drained) -> web.Response:
    body = orjson.dumps({"host": host, what: done.count})
    return render.json_response(body, {render.INDEX_HEADER: str(done.index)})
