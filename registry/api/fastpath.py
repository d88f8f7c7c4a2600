"""Connections that answer hot requests from bytes, and leave all others to aiohttp.

    chunk --framing--> whole plain requests --hot--> answered here, in order
                  \\                           \\
                   anything else               one that is not hot
                    \\--> aiohttp, unchanged <--/

Only while aiohttp waits for a request on this connection is anything answered here, so
answers keep their order. A write under way holds back what arrives after it.
"""

import asyncio
from collections import deque
from functools import partial
from typing import Any

from aiohttp import web

from registry.api.connection import ApiProtocol, ConnectionSettings
from registry.api.framing import Framing, PlainRequest, rest_of
from registry.api.hot import Hot
from registry.api.hot_writes import Write

MOST_HELD_BYTES = 64 * 1024
"""Of what arrives behind a write under way; beyond it nothing is read."""
MOST_AT_ONCE_BYTES = 256 * 1024
"""Of answers to one chunk: the rest is aiohttp's, which waits for slow readers."""
TURNS_AWAITED = 4
"""Of the loop: after an answer aiohttp needs some before it waits for a request."""


class FastProtocol(ApiProtocol):
    """One connection. Invariant: bytes reach ``Framing`` once, and in order.

    Invariant: while ``_waits`` all that arrives goes to ``_held``.
    """

    __slots__ = (
        "_framing",
        "_held",
        "_held_bytes",
        "_hot",
        "_is_reading_paused",
        "_waits",
        "_write",
    )

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
        self._waits = False
        """Whether a write, or a chunk, is under way here."""
        self._held: deque[bytes] = deque()
        """What arrived behind it."""
        self._held_bytes = 0
        self._is_reading_paused = False
        self._write: Write | None = None
        """The one under way."""

    # -- what arrives

    def data_received(self, data: bytes) -> None:
        """Take the next bytes; none means that aiohttp looks at its own once more."""
        if not data:
            super().data_received(data)
        elif self._waits:
            self._hold(data)
        else:
            self._take(data)

    def _take(self, data: bytes) -> None:
        requests = self._framing.scan(data)
        if requests is None:
            super().data_received(data)
        elif self._is_awaiting():
            if len(requests) == 1 and self._is_taken(requests, data):
                return  # nearly always
            if self._are_hot(requests):
                self._answer(requests, data)
            else:
                super().data_received(data)
        elif self._is_between() and self._are_hot(requests):
            self._waits = True
            self._loop.call_soon(self._try_again, requests, data, TURNS_AWAITED)
        else:
            super().data_received(data)

    def _is_taken(self, requests: list[PlainRequest], data: bytes) -> bool:
        """Answer or begin the only request of a chunk; False if it is not hot."""
        request = requests[0]
        if request.method != b"GET":
            is_hot = self._hot.writes.knows(request)
            if is_hot:
                self._begin(requests, data, 0)
            return is_hot
        if request.body or self.transport is None:
            return False
        now_s = self._loop.time()
        hot = self._hot
        answer = hot.reads.answer(request.target, request.condition, now_s)
        if answer is None:
            return False
        self._request_count += 1
        hot.answers += 1
        self._next_keepalive_close_time = now_s + self._keepalive_timeout
        self.transport.write(answer)
        return True

    def _are_hot(self, requests: list[PlainRequest]) -> bool:
        reads, writes = self._hot.reads, self._hot.writes
        for request in requests:
            if request.method == b"GET":
                if request.body or not reads.knows(request.target):
                    return False
            elif not writes.knows(request):
                return False
        return True

    def _try_again(self, requests: list[PlainRequest], data: bytes, turns: int) -> None:
        """A chunk came just as aiohttp was finishing the request before."""
        if turns and self._is_between():
            self._loop.call_soon(self._try_again, requests, data, turns - 1)
            return
        self._go_on(requests, data)

    def _go_on(self, requests: list[PlainRequest], data: bytes, first: int = 0) -> None:
        """Answer what waited, then take what arrived behind it."""
        if first < len(requests):
            if self._is_awaiting():
                self._answer(requests, data, first)
            else:
                super().data_received(rest_of(requests, data, first))
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
        """Answer from the request number ``first`` on."""
        now_s = self._loop.time()
        self._next_keepalive_close_time = now_s + self._keepalive_timeout
        answers: list[bytes] = []
        size = 0
        for number in range(first, len(requests)):
            request = requests[number]
            if request.method != b"GET":
                self._send(answers)
                self._begin(requests, data, number)
                return
            answer = None
            if size < MOST_AT_ONCE_BYTES:
                answer = self._hot.reads.answer(
                    request.target, request.condition, now_s
                )
            if answer is None:  # what was hot a moment ago is not, or enough is sent
                self._send(answers)
                super().data_received(rest_of(requests, data, number))
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

    def _begin(self, requests: list[PlainRequest], data: bytes, number: int) -> None:
        self._waits = True
        self._write = write = self._hot.writes.begin(requests[number], self.peername)
        write.settled.add_done_callback(
            partial(self._written, write, requests, data, number)
        )

    def _written(
        self,
        write: Write,
        requests: list[PlainRequest],
        data: bytes,
        number: int,
        settled: "asyncio.Future[Any]",
    ) -> None:
        if settled.cancelled():  # dropped, or the loop ends
            self.force_close()
            return
        if self._write is not write:
            settled.exception()  # dropped: nobody else reads it
            return
        self._write = None
        # Also of a client that has gone: what went wrong is counted and noted.
        answer = write.answer(settled)
        self._stay_open()
        self._send([answer])
        if not self._force_close and not self._close:
            self._go_on(requests, data, number + 1)

    def _hold(self, data: bytes) -> None:
        self._held.append(data)
        self._held_bytes += len(data)
        if self._held_bytes < MOST_HELD_BYTES or self._is_reading_paused:
            return
        if self._wire is not None and not self._wire.is_closing():
            self._is_reading_paused = True
            self._wire.pause_reading()

    def _release(self) -> None:
        """Take what was held back, chunk by chunk, until something waits again."""
        self._waits = False
        while self._held and not self._waits:
            data = self._held.popleft()
            self._held_bytes -= len(data)
            self._take(data)
        if self._is_reading_paused and not self._waits:
            self._is_reading_paused = False
            if (
                self._wire is not None
                and not self._wire.is_closing()
                and not self._buffer_paused
                and not self._reading_paused
            ):
                self._wire.resume_reading()

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
            await asyncio.wait([self._write.settled], timeout=timeout)
            self._drop_write()
        await super().shutdown(timeout)

    def cut_off(self) -> None:
        """End it at once, whatever is under way."""
        self._drop_write()
        super().cut_off()

    def _drop_write(self) -> None:
        write, self._write = self._write, None
        if write is not None:
            write.drop()
