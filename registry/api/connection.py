"""One HTTP connection: aiohttp's protocol, with what it leaves unbounded bounded.

What cannot even be parsed is answered with a problem document too; a connection that
never sends a whole request is closed, and one whose client has stopped to read what it
asked for is cut off, as it would hold its answers, and its descriptor, for ever.
"""

import asyncio
import fcntl
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import web
from aiohttp.abc import AbstractAccessLogger

from registry.api.middleware import NODE_HEADER, UNMATCHED, RequestObserver
from registry.api.problems import from_status, problem_response, unexpected

MAX_LINE_BYTES = 8 * 1024
MAX_HEADERS = 64
LINGER_S = 2.0
"""How long to read on after a refusal, so that the client gets to read it."""


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """What connections are told, and whom they tell of their end."""

    node_id: str
    observer: RequestObserver
    keep_alive_s: float
    on_lost: Callable[["ApiProtocol"], None]


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


class Refused(asyncio.Protocol):
    """A connection too many: closed as soon as it stands."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Close it without an answer, which could block as well."""
        cast(asyncio.Transport, transport).abort()


class ApiProtocol(web.RequestHandler):
    """One connection. See the module for why it is not aiohttp's own."""

    __slots__ = (
        "__weakref__",
        "_first_request_timer",
        "_looks_stuck",
        "_settings",
        "_unsent_bytes",
        "_wire",
    )

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        settings: ConnectionSettings,
    ) -> None:
        super().__init__(
            manager,
            loop=loop,
            keepalive_timeout=settings.keep_alive_s,
            lingering_time=LINGER_S,
            access_log_class=NoAccessLog,
            max_line_size=MAX_LINE_BYTES,
            max_field_size=MAX_LINE_BYTES,
            max_headers=MAX_HEADERS,
            # A small compressed body can be a large one: we take them as they come.
            auto_decompress=False,
        )
        self._settings = settings
        self._first_request_timer: asyncio.TimerHandle | None = None
        self._wire: asyncio.Transport | None = None
        """As long as it is open: aiohttp forgets its own once it has begun to close."""
        self._unsent_bytes = 0
        self._looks_stuck = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin to wait for the first request, which aiohttp would do for ever."""
        super().connection_made(transport)
        self._wire = cast(asyncio.Transport, transport)
        self._first_request_timer = self._loop.call_later(
            self._settings.keep_alive_s, self._close_if_silent
        )

    def connection_lost(self, exc: BaseException | None) -> None:
        """Forget the timer, and be forgotten."""
        if self._first_request_timer is not None:
            self._first_request_timer.cancel()
        self._wire = None
        super().connection_lost(exc)
        self._settings.on_lost(self)

    def cut_off_if_stuck(self, looks: int) -> None:
        """End it at the look number ``looks`` that finds nothing of its answers gone.

        Looks, not time: they come at their pace even after the process was paused.
        More to be sent than before is no sign of life: while the client does not read,
        aiohttp answers no further request of its.
        """
        if self._wire is None:
            return
        unsent_bytes = self._wire.get_write_buffer_size()
        if unsent_bytes:
            unsent_bytes += _kernel_unsent_bytes(self._wire)
        if not 0 < self._unsent_bytes <= unsent_bytes:
            self._looks_stuck = 0
        else:
            self._looks_stuck += 1
        self._unsent_bytes = unsent_bytes
        if self._looks_stuck >= looks:
            self.cut_off()

    def cut_off(self) -> None:
        """End it at once, whatever is under way; also what is not sent yet is lost."""
        if self._task_handler is not None:
            self._task_handler.cancel()
        if self._wire is not None:
            self._wire.abort()

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
        response.headers[NODE_HEADER] = self._settings.node_id
        self._settings.observer.observe_request(request.method, UNMATCHED, status)
        response.force_close()
        return response


def _kernel_unsent_bytes(wire: asyncio.Transport) -> int:
    """Return what the kernel holds of our answers and the client has not confirmed.

    It holds megabytes, and takes more of ours only once a third of those are gone: a
    slow client is at work long before that shows in our own buffer.
    """
    held = bytes(4)
    try:
        held = fcntl.ioctl(wire.get_extra_info("socket"), termios.TIOCOUTQ, held)
    except (OSError, ValueError, TypeError):
        # Not Linux: then our own buffer is all there is to go by.
        return 0
    return int.from_bytes(held, sys.byteorder)
