"""The two writes that come by the thousand, from a whole request to whole bytes.

The same parsers, use cases and problem documents as behind the ordinary handlers; what
aiohttp and the middleware do around them is done here.
"""

import asyncio
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, NamedTuple

from registry.api import parse, wire
from registry.api.framing import PlainRequest
from registry.api.middleware import NODE_HEADER, RequestObserver
from registry.api.problems import problem_response, unexpected
from registry.api.refused import RefusalsApi
from registry.api.render import INDEX_HEADER, written_body, written_response
from registry.catalog import bounds
from registry.errors import RegistryError
from registry.model import ServiceId
from registry.ports import Clock
from registry.registrar import Registrar, Renewal, Written

_PLACE = "<index>"
_REGISTER = b"/register"
_HEARTBEAT_PREFIX = b"/heartbeat/"
_HEARTBEAT = re.compile(_HEARTBEAT_PREFIX + bounds.SERVICE_ID_PATTERN.encode())

REGISTER_ROUTE = "/register"
HEARTBEAT_ROUTE = "/heartbeat/{service_id}"


class Write(NamedTuple):
    """A write under way: what it waits for, and the whole answer once that is done.

    Whoever loses interest drops it: ``settled`` may be waited for by others, too.
    """

    settled: "asyncio.Future[Any]"
    answer: "Callable[[asyncio.Future[Any]], bytes]"
    is_shared: bool

    def drop(self) -> None:
        """End what is this write's alone."""
        if not self.is_shared:
            self.settled.cancel()


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
        self._written_head = _written_head(node_id)

    def knows(self, request: PlainRequest) -> bool:
        """Whether this is one of the two."""
        if request.method != b"POST":
            return False
        if request.body:
            return request.target == _REGISTER
        return _HEARTBEAT.fullmatch(request.target) is not None

    def begin(self, request: PlainRequest, peer: object) -> Write:
        """Begin a known write. ``peer``: the address that asks, as aiohttp keeps it."""
        if request.body:
            loop = asyncio.get_running_loop()
            task = loop.create_task(self._register(request.body, peer))
            return Write(task, asyncio.Future.result, is_shared=False)
        service_id = ServiceId(request.target[len(_HEARTBEAT_PREFIX) :].decode())
        renewal = self._registrar.renew(service_id, deadline_s=self._deadline_s())
        answer = partial(self._renewed, service_id, peer)
        return Write(renewal, answer, is_shared=True)

    def _renewed(self, service_id: ServiceId, peer: object, renewal: Renewal) -> bytes:
        try:
            written = self._registrar.renewed(service_id, renewal)
        except Exception as error:
            subject = {"service_id": service_id}
            return self._refusal(HEARTBEAT_ROUTE, error, subject, peer)
        return self._done(HEARTBEAT_ROUTE, written, "ok")

    async def _register(self, body: bytes, peer: object) -> bytes:
        try:
            written = await self._registrar.register(
                parse.registration(body), deadline_s=self._deadline_s()
            )
        except Exception as error:
            return self._refusal(REGISTER_ROUTE, error, parse.claimed(body), peer)
        return self._done(REGISTER_ROUTE, written, "registered")

    def _done(self, route: str, written: Written, status: str) -> bytes:
        self._observer.observe_request("POST", route, 200)
        body = written_body(written.service_id, status)
        head = self._written_head % (written.index, len(body))
        return wire.whole(head, self._dates.now(), body)

    def _refusal(
        self, route: str, error: Exception, subject: Mapping[str, str], peer: object
    ) -> bytes:
        """Do as the middleware: errors become problems, all are counted."""
        if not isinstance(error, RegistryError):
            error = unexpected(error, "POST", route)
        asker = str(peer[0]) if isinstance(peer, tuple) else None
        self._refused.record(f"POST {route}", asker, subject, error)
        response = problem_response(error)
        response.headers[NODE_HEADER] = self._node_id
        self._observer.observe_request("POST", route, response.status)
        return wire.answer(response, self._dates.now())

    def _deadline_s(self) -> float:
        return self._clock.now_s() + self._request_deadline_s


def _written_head(node_id: str) -> bytes:
    """Return what every write that took effect is answered with, as a template.

    Made of an ordinary answer, with places for the index and the length of the body.
    """
    response = written_response("", "", 0)
    response.headers[INDEX_HEADER] = _PLACE
    response.headers[NODE_HEADER] = node_id
    head = wire.head(response, 0).replace(b"%", b"%%")
    head = head.replace(b"Content-Length: 0", b"Content-Length: %d")
    return head.replace(_PLACE.encode(), b"%d")
