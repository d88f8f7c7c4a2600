"""The HTTP server: the application, its socket, and its bounds in time and size.

The protocol is aiohttp's with two changes: what it cannot even parse is answered with
a problem document too, and a connection that never sends a whole request is closed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from registry.api.admin import AdminApi
from registry.api.middleware import NODE_HEADER, UNMATCHED, edge
from registry.api.native import NativeApi, NativeDependencies
from registry.api.problems import (
    MAX_BODY_BYTES,
    from_status,
    problem_response,
    unexpected,
)
from registry.discovery import Discovery
from registry.metrics import Metrics
from registry.ports import Clock, ClusterView
from registry.registrar import Registrar

MAX_LINE_BYTES = 8 * 1024
MAX_HEADERS = 64
LINGER_S = 2.0
"""How long to read on after a refusal, so that the client gets to read it."""
BACKLOG = 1024


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Everything that the HTTP surface stands on."""

    node_id: str
    registrar: Registrar
    discovery: Discovery
    metrics: Metrics
    clock: Clock
    view: Callable[[], ClusterView]
    request_deadline_s: float = 5.0
    body_within_s: float = 10.0
    keep_alive_s: float = 75.0
    """Longer than the usual idle time of proxies (60 s), so that they hang up first."""


def create_app(deps: ApiDependencies) -> web.Application:
    """Build the application: the two tables of paths behind one middleware."""
    app = web.Application(
        middlewares=[edge(deps.metrics, deps.node_id)],
        client_max_size=MAX_BODY_BYTES,
    )
    native = NativeApi(
        NativeDependencies(
            registrar=deps.registrar,
            discovery=deps.discovery,
            clock=deps.clock,
            request_deadline_s=deps.request_deadline_s,
            body_within_s=deps.body_within_s,
        )
    )
    admin = AdminApi(view=deps.view, discovery=deps.discovery, metrics=deps.metrics)
    app.add_routes([*native.routes(), *admin.routes()])
    return app


class NoAccessLog(AbstractAccessLogger):
    """Logs nothing: per request there are metrics (and aiohttp takes no None here)."""

    @property
    def enabled(self) -> bool:
        """Tell aiohttp not to measure for it."""
        return False

    def log(
        self, request: web.BaseRequest, response: web.StreamResponse, time: float
    ) -> None:
        """Do nothing."""


class ApiProtocol(web.RequestHandler):
    """One connection. See the module for why it is not aiohttp's own."""

    __slots__ = ("_deps", "_first_request_timer")

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        deps: ApiDependencies,
    ) -> None:
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=deps.keep_alive_s,
            lingering_time=LINGER_S,
            access_log_class=NoAccessLog,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
            # A small compressed body can be a large one: we take them as they come.
            auto_decompress=False,
        )
        self._deps = deps
        self._first_request_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request, which aiohttp would do for ever."""
        super().connection_made(transport)
        self._first_request_timer = self._loop.call_later(
            self._deps.keep_alive_s, self._close_if_silent
        )

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the timer."""
        if self._first_request_timer is not None:
            self._first_request_timer.cancel()
        super().connection_lost(exc)

    def _close_if_silent(self) -> None:
        if self._request_count == 0:
            self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what never reached the middleware: bytes that are no valid HTTP."""
        if request.writer.output_size > 0:
            raise ConnectionError("the answer has begun: nothing else can be sent")
        if status < 500:
            reason = (message or "").partition("\n")[0].rstrip(": ")
            error = from_status(status, reason)
        else:
            error = unexpected(exc, request.method, request.raw_path)
        response = problem_response(error)
        response.headers[NODE_HEADER] = self._deps.node_id
        self._deps.metrics.observe_request(request.method, UNMATCHED, status)
        response.force_close()
        return response


class ApiServer:
    """One listening socket for one application. ``start`` once, ``stop`` once."""

    def __init__(
        self, deps: ApiDependencies, *, host: str, port: int, stop_within_s: float = 5.0
    ) -> None:
        self._deps = deps
        self._host = host
        self._port = port
        self._runner = web.AppRunner(create_app(deps), shutdown_timeout=stop_within_s)
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port in use: the one asked for, or what the system chose for 0."""
        if self._listener is None or not self._listener.sockets:
            return self._port
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen. Raises OSError when the address cannot be bound."""
        await self._runner.setup()
        manager = self._runner.server
        if manager is None:
            raise RuntimeError("aiohttp made no server in setup()")
        loop = asyncio.get_running_loop()

        def connection() -> ApiProtocol:
            return ApiProtocol(manager, loop=loop, deps=self._deps)

        try:
            self._listener = await loop.create_server(
                connection, self._host, self._port, backlog=BACKLOG
            )
        except OSError:
            await self._runner.cleanup()
            raise

    async def stop(self) -> None:
        """Accept no more, answer what is under way in ``stop_within_s``, close all."""
        if self._listener is None:
            return
        self._listener.close()
        # Closes idle connections at once, and waits for those with a request.
        await self._runner.cleanup()
        self._listener = None
