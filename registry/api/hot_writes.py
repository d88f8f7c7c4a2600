"""The two writes that come by the thousand, from a whole request to whole bytes.

The same parsers, use cases and problem documents as behind the ordinary handlers; what
aiohttp and the middleware do around them is done here.
"""

import re
from collections.abc import Awaitable, Callable, Mapping

from aiohttp import web

from registry.api import parse, wire
from registry.api.framing import PlainRequest
from registry.api.middleware import NODE_HEADER, RequestObserver
from registry.api.problems import problem_response, unexpected
from registry.api.refused import RefusalsApi
from registry.api.render import written_response
from registry.catalog import bounds
from registry.errors import RegistryError
from registry.model import ServiceId
from registry.ports import Clock
from registry.registrar import Registrar

_REGISTER = b"/register"
_HEARTBEAT = re.compile(b"/heartbeat/(" + bounds.SERVICE_ID_PATTERN.encode() + b")")

HotWrite = Callable[[str | None], Awaitable[bytes]]
"""Carries one write out for a peer's address; returns the whole answer."""


class HotWrites:
    """Turns requests into writes that can be awaited."""

    def __init__(
        self,
        registrar: Registrar,
        refused: RefusalsApi,
        observer: RequestObserver,
        clock: Clock,
        *,
        node_id: str,
        request_deadline_s: float,
    ) -> None:
        self._registrar = registrar
        self._refused = refused
        self._observer = observer
        self._clock = clock
        self._node_id = node_id
        self._request_deadline_s = request_deadline_s
        self._dates = wire.Dates()

    def write(self, request: PlainRequest) -> HotWrite | None:
        """Return what carries this request out, None if it is no hot write."""
        if request.method != b"POST":
            return None
        if request.target == _REGISTER and request.body:
            return lambda peer: self._register(request.body, peer)
        found = _HEARTBEAT.fullmatch(request.target)
        if found is None or request.body:
            return None
        service_id = ServiceId(found[1].decode())
        return lambda peer: self._heartbeat(service_id, peer)

    async def _heartbeat(self, service_id: ServiceId, peer: str | None) -> bytes:
        async def carry_out() -> web.Response:
            written = await self._registrar.heartbeat(
                service_id, deadline_s=self._deadline_s()
            )
            return written_response(written.service_id, "ok", written.index)

        return await self._answered(
            "/heartbeat/{service_id}",
            carry_out,
            peer,
            lambda: {"service_id": service_id},
        )

    async def _register(self, body: bytes, peer: str | None) -> bytes:
        async def carry_out() -> web.Response:
            written = await self._registrar.register(
                parse.registration(body), deadline_s=self._deadline_s()
            )
            return written_response(written.service_id, "registered", written.index)

        return await self._answered(
            "/register", carry_out, peer, lambda: parse.claimed(body)
        )

    async def _answered(
        self,
        route: str,
        carry_out: Callable[[], Awaitable[web.Response]],
        peer: str | None,
        subject: Callable[[], Mapping[str, str]],
    ) -> bytes:
        """Do as the middleware: errors become problems, all are counted."""
        refusal: RegistryError | None = None
        try:
            response = await carry_out()
        except RegistryError as error:
            refusal = error
        except Exception as error:
            refusal = unexpected(error, "POST", route)
        if refusal is not None:
            self._refused.record(f"POST {route}", peer, subject(), refusal)
            response = problem_response(refusal)
        response.headers[NODE_HEADER] = self._node_id
        self._observer.observe_request("POST", route, response.status)
        return wire.answer(response, self._dates.now())

    def _deadline_s(self) -> float:
        return self._clock.now_s() + self._request_deadline_s
