"""The HTTP server: the application, its socket, and its bounds in time and number."""

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import structlog
from aiohttp import web
from aiohttp.typedefs import Middleware

from registry.api.app import ApiDependencies, create_surface
from registry.api.borrowed import missing_names
from registry.api.connection import ApiProtocol, ConnectionSettings
from registry.api.connections import Connections
from registry.api.fastpath import FastProtocol
from registry.descriptors import connections_allowed, read_limit

BACKLOG = 1024
STUCK_S = 30.0
"""How long a client may take nothing of what was sent to it."""
ANSWERING_SHARE = 0.8
"""Of the time of a stop: for requests under way, before they are cut off."""
STUCK_SHARE = 0.2
"""Of the time of a stop: what is STUCK_S before."""

RequestHandling = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

log = structlog.stdlib.get_logger("registry.api")


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
        plain: bool = False,
    ) -> None:
        """``max_connections``: by default what the limit of open files leaves.

        ``plain``: leave every request to aiohttp.
        """
        self._deps = deps
        self._host = host
        self._port = port
        self._stop_within_s = stop_within_s
        surface = create_surface(deps)
        self._hot = surface.hot
        self._is_plain = plain
        self._runner = web.AppRunner(
            surface.app, shutdown_timeout=stop_within_s * ANSWERING_SHARE
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

    @property
    def hot_answers(self) -> int:
        """How many answers were given without aiohttp."""
        return self._hot.answers

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

        settings, hot = self._settings, self._hot
        is_plain = self._is_plain
        if not is_plain and (missing := missing_names()):
            log.warning("No fast path with this aiohttp", missing=missing)
            is_plain = True

        def make() -> ApiProtocol:
            if is_plain:
                return ApiProtocol(manager, loop=loop, settings=settings)
            return FastProtocol(manager, loop=loop, settings=settings, hot=hot)

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
