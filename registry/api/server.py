"""The HTTP server: the application, its socket, and its bounds in time and number."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from registry.api.admin import AdminApi
from registry.api.connection import ApiProtocol, ConnectionSettings
from registry.api.connections import Connections
from registry.api.draining import DrainingApi, DrainingDependencies
from registry.api.explain import ExplainApi
from registry.api.middleware import edge
from registry.api.native import NativeApi, NativeDependencies
from registry.api.problems import MAX_BODY_BYTES
from registry.api.refused import RefusalsApi
from registry.descriptors import connections_allowed, read_limit
from registry.discovery import Discovery
from registry.drains import Drains
from registry.metrics import Metrics
from registry.ports import Clock, ClusterView
from registry.refusals import Refusals
from registry.registrar import Registrar
from registry.why import Why

BACKLOG = 1024
STUCK_S = 30.0
"""How long a client may take nothing of what was sent to it."""
ANSWERING_SHARE = 0.8
"""Of the time of a stop: for requests under way, before they are cut off."""
STUCK_SHARE = 0.2
"""Of the time of a stop: what is STUCK_S before."""

RequestHandling = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

log = structlog.stdlib.get_logger("registry.api")


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Everything that the HTTP surface stands on."""

    node_id: str
    registrar: Registrar
    drains: Drains
    discovery: Discovery
    refusals: Refusals
    why: Why
    metrics: Metrics
    clock: Clock
    view: Callable[[], ClusterView]
    troubles: Callable[[], tuple[str, ...]] = tuple
    """Codes of what is wrong beside the cluster: told as degraded."""
    request_deadline_s: float = 5.0
    body_within_s: float = 10.0
    keep_alive_s: float = 75.0
    """Longer than the usual idle time of proxies (60 s), so that they hang up first."""


def create_app(deps: ApiDependencies) -> web.Application:
    """Build the application: the tables of paths behind one middleware."""
    refused = RefusalsApi(deps.refusals, deps.metrics, deps.clock)
    app = web.Application(
        middlewares=[edge(deps.metrics, deps.node_id, refused.note)],
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
    draining = DrainingApi(
        DrainingDependencies(
            drains=deps.drains,
            discovery=deps.discovery,
            clock=deps.clock,
            request_deadline_s=deps.request_deadline_s,
            body_within_s=deps.body_within_s,
        )
    )
    admin = AdminApi(
        view=deps.view,
        discovery=deps.discovery,
        metrics=deps.metrics,
        troubles=deps.troubles,
    )
    explain = ExplainApi(
        why=deps.why,
        discovery=deps.discovery,
        clock=deps.clock,
        request_deadline_s=deps.request_deadline_s,
    )
    for part in (native, draining, explain, refused, admin):
        app.add_routes(part.routes())
    return app


class ApiServer:
    """One listening socket for one application. ``start`` once, ``stop`` once."""

    def __init__(
        self,
        deps: ApiDependencies,
        *,
        host: str,
        port: int,
        stop_within_s: float = 5.0,
        stuck_s: float = STUCK_S,
        max_connections: int | None = None,
    ) -> None:
        """``max_connections``: by default what the limit of open files leaves."""
        self._deps = deps
        self._host = host
        self._port = port
        self._stop_within_s = stop_within_s
        self._runner = web.AppRunner(
            create_app(deps), shutdown_timeout=stop_within_s * ANSWERING_SHARE
        )
        self._connections = Connections(
            most=max_connections or connections_allowed(read_limit()[0]),
            stuck_s=stuck_s,
            on_refused=deps.metrics.observe_connection_refused,
        )
        self._settings = ConnectionSettings(
            node_id=deps.node_id,
            observer=deps.metrics,
            keep_alive_s=deps.keep_alive_s,
            on_lost=self._connections.lost,
        )
        self._listener: asyncio.Server | None = None

    @property
    def port(self) -> int:
        """The port in use: the one asked for, or what the system chose for 0."""
        if self._listener is None or not self._listener.sockets:
            return self._port
        port: int = self._listener.sockets[0].getsockname()[1]
        return port

    async def start(self) -> None:
        """Listen. Raises OSError, its text the reason, if it cannot be done."""
        await self._runner.setup()
        manager = self._runner.server
        if manager is None:
            raise RuntimeError("aiohttp made no server in setup()")
        loop = asyncio.get_running_loop()
        (outermost,) = self._runner.app.middlewares
        manager.request_handler = refusing_as_problems(
            manager.request_handler, outermost
        )

        def make() -> ApiProtocol:
            return ApiProtocol(manager, loop=loop, settings=self._settings)

        try:
            self._listener = await loop.create_server(
                lambda: self._connections.admit(make),
                self._host,
                self._port,
                backlog=BACKLOG,
            )
        except OSError as error:
            await self._runner.cleanup()
            raise OSError(_reason(error)) from error
        self._connections.watch()

    async def stop(self) -> None:
        """Accept no more, answer what is under way, close all: in ``stop_within_s``."""
        if self._listener is None:
            return
        self._listener.close()
        self._connections.watch(stuck_s=self._stop_within_s * STUCK_SHARE)
        try:
            async with asyncio.timeout(self._stop_within_s):
                # Closes idle connections at once, and waits for those with a request.
                await self._runner.cleanup()
                # Closed ones may still have an answer to send.
                await self._connections.all_gone()
        except TimeoutError:
            log.warning("Requests cut off by the stop")
        finally:
            self._connections.close()
            self._listener = None


def refusing_as_problems(
    handle: RequestHandling, outermost: Middleware
) -> RequestHandling:
    """Let what aiohttp refuses before any middleware go through ours all the same.

    That is an ``Expect`` it does not know: it asks the routes about it first.
    """

    async def run(request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await handle(request)
        except web.HTTPException as refusal:
            raised = refusal
        assert isinstance(request, web.Request)

        async def again(_request: web.Request) -> web.StreamResponse:
            raise raised

        return await outermost(request, again)

    return run


def _reason(error: OSError) -> str:
    """Say why an address cannot be bound; a resolver's numbers are not the system's."""
    if error.errno is None or isinstance(error, socket.gaierror):
        return error.strerror or str(error)
    return os.strerror(error.errno)
