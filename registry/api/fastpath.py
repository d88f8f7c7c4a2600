"""Connections that answer hot requests from bytes, and leave all others to aiohttp.

    chunk --framing--> whole plain requests --hot--> answered here, in order
                  \\                           \\
                   anything else               from the first that is not hot on
                    \\--> aiohttp, unchanged <--/

Only while aiohttp waits for a request on this connection is anything answered here, so
answers keep their order. A write under way holds back what arrives after it.
"""

import asyncio

from aiohttp import web

from registry.api.connection import ApiProtocol, ConnectionSettings
from registry.api.framing import Framing, PlainRequest
from registry.api.hot import Hot
from registry.api.hot_writes import HotWrite

MOST_HELD_BYTES = 64 * 1024
"""Of what arrives behind a write under way; beyond it nothing is read."""
MOST_AT_ONCE_BYTES = 256 * 1024
"""Of answers to one chunk: the rest is aiohttp's, which waits for slow readers."""
TURNS_AWAITED = 4
"""Of the loop: after an answer aiohttp needs some before it waits for a request."""

_END_OF_HEAD = b"\r\n\r\n"
_NEEDED = (
    "_close",
    "_current_request",
    "_force_close",
    "_keepalive_timeout",
    "_messages",
    "_next_keepalive_close_time",
    "_payload_parser",
    "_paused",
    "_request_count",
    "_request_in_progress",
    "_task_handler",
    "_upgraded",
    "_waiter",
)


def missing_names() -> list[str]:
    """Return which of aiohttp's private names this rests on are gone."""
    slots = {s for c in web.RequestHandler.__mro__ for s in getattr(c, "__slots__", ())}
    return [name for name in _NEEDED if name not in slots]


class FastProtocol(ApiProtocol):
    """One connection. Invariant: bytes reach ``Framing`` once, and in order.

    Invariant: while ``_held`` is set all that arrives goes there.
    """

    __slots__ = ("_framing", "_held", "_hot", "_is_reading_paused", "_write")

    def __init__(
        self,
        manager: web.Server,
        *,
        loop: asyncio.AbstractEventLoop,
        settings: ConnectionSettings,
        hot: Hot,
    ) -> None:
        super().__init__(manager, loop=loop, settings=settings)
        self._hot = hot
        self._framing = Framing()
        self._held: bytearray | None = None
        """What arrived while a write, or a chunk, waits."""
        self._is_reading_paused = False
        self._write: asyncio.Task[None] | None = None

    # -- what arrives

    def data_received(self, data: bytes) -> None:
        """Take the next bytes; none means that aiohttp looks at its own once more."""
        if not data:
            super().data_received(data)
        elif self._held is not None:
            self._hold(data)
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        requests = self._framing.scan(data)
        if requests is None:
            super().data_received(data)
        elif self._is_awaiting():
            self._answer(requests, data)
        elif self._is_between():
            self._held = bytearray()
            self._loop.call_soon(self._try_again, requests, data, TURNS_AWAITED)
        else:
            super().data_received(data)

    def _try_again(self, requests: list[PlainRequest], data: bytes, turns: int) -> None:
        """A chunk came just as aiohttp was finishing the request before."""
        if self._is_awaiting():
            self._answer(requests, data)
        elif turns and self._is_between():
            self._loop.call_soon(self._try_again, requests, data, turns - 1)
            return
        else:
            super().data_received(data)
        if self._write is None:
            self._release()

    def _is_awaiting(self) -> bool:
        """Whether aiohttp waits for a request, and nothing else is under way."""
        waiter = self._waiter
        return (
            waiter is not None
            and not waiter.done()
            and not self._messages
            and not self._paused
            and not self._upgraded
            and self._payload_parser is None
        )

    def _is_between(self) -> bool:
        """Whether aiohttp has answered, or begun, and will wait in a moment."""
        return (
            self._waiter is None
            and self._task_handler is not None
            and not self._messages
            and not self._request_in_progress
            and not self._close
            and not self._force_close
        )

    # -- what is answered

    def _answer(
        self, requests: list[PlainRequest], data: bytes, first: int = 0
    ) -> None:
        """Answer from the request number ``first`` on, as far as they are hot."""
        now_s = self._loop.time()
        self._next_keepalive_close_time = now_s + self._keepalive_timeout
        answers: list[bytes] = []
        size = 0
        for number in range(first, len(requests)):
            request = requests[number]
            answer = None
            if request.method == b"GET" and not request.body:
                answer = self._hot.reads.answer(
                    request.target, request.condition, now_s
                )
            elif (write := self._hot.writes.write(request)) is not None:
                self._send(answers)
                self._begin(write, requests, data, number + 1)
                return
            if answer is None or size > MOST_AT_ONCE_BYTES:
                self._send(answers)
                super().data_received(_from(requests, data, number))
                return
            answers.append(answer)
            size += len(answer)
        self._send(answers)

    def _send(self, answers: list[bytes]) -> None:
        if not answers or self.transport is None:
            return
        self._request_count += len(answers)
        self._hot.answers += len(answers)
        self.transport.write(answers[0] if len(answers) == 1 else b"".join(answers))

    def _stay_open(self) -> None:
        """Count the time that it may be idle anew."""
        self._next_keepalive_close_time = self._loop.time() + self._keepalive_timeout

    # -- writes

    def _begin(
        self, write: HotWrite, requests: list[PlainRequest], data: bytes, rest: int
    ) -> None:
        if self._held is None:
            self._held = bytearray()
        self._write = self._loop.create_task(
            self._carry_out(write, requests, data, rest)
        )

    async def _carry_out(
        self, write: HotWrite, requests: list[PlainRequest], data: bytes, rest: int
    ) -> None:
        wire = self._wire
        peer = None if wire is None else wire.get_extra_info("peername")
        answer = await write(peer[0] if isinstance(peer, tuple) else None)
        self._write = None
        self._stay_open()
        self._send([answer])
        if self._force_close or self._close:
            return  # nothing behind it is heard any more
        if rest < len(requests):
            self._answer(requests, data, rest)
        if self._write is None:
            self._release()

    def _hold(self, data: bytes) -> None:
        assert self._held is not None
        self._held += data
        if len(self._held) < MOST_HELD_BYTES or self._is_reading_paused:
            return
        if self._wire is not None and not self._wire.is_closing():
            self._is_reading_paused = True
            self._wire.pause_reading()

    def _release(self) -> None:
        """Take what was held back: nothing is under way any more."""
        held, self._held = self._held, None
        if self._is_reading_paused:
            self._is_reading_paused = False
            if self._wire is not None and not self._wire.is_closing():
                self._wire.resume_reading()
        if held:
            self._take(bytes(held))

    # -- ends

    def _process_keepalive(self) -> None:
        if self._write is not None:
            self._stay_open()
        super()._process_keepalive()

    def _close_if_silent(self) -> None:
        if self._write is None:
            super()._close_if_silent()

    async def shutdown(
        self,
        timeout: float | None = 15.0,  # noqa: ASYNC109  # aiohttp's signature
    ) -> None:
        """Let a write under way be answered, then end like any other connection."""
        if self._write is not None:
            self._force_close = True
            await asyncio.wait([self._write], timeout=timeout)
        await super().shutdown(timeout)

    def cut_off(self) -> None:
        """End it at once, whatever is under way."""
        if self._write is not None:
            self._write.cancel()
        super().cut_off()


def _from(requests: list[PlainRequest], data: bytes, number: int) -> bytes:
    """Return the bytes of the request with this number, and of all behind it."""
    start = 0
    for request in requests[:number]:
        start = data.index(_END_OF_HEAD, start) + len(_END_OF_HEAD) + len(request.body)
    return data[start:]
