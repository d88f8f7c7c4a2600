"""Group commit: whatever waits while one entry is in flight makes up the next.

One batch is under way at a time, under one number, and is proposed again whole until
its outcome is known or nobody waits for it any more; the ledger makes that safe (I6).
So an election costs its waiters time, not an error. After the answers of a batch the
next is proposed one loop turn later, so that the clients just answered can join it.
"""

import asyncio
from collections.abc import Callable

from cluster.config import Limits, Timing
from cluster.errors import NoLeader, Overloaded, Refused, Stopping, TooLarge
from cluster.flight import Answer, Flight, Verdict, Waiter
from cluster.ledger import Batch, BatchResult, encode_batch
from cluster.status import Applied
from cluster.waiting import WaitingRoom

SWEEP_S = 0.05
"""How often deadlines are looked at: a look costs at most about 4 ms (16,384
waiters).
"""
RETRY_S = 0.01
"""Pause before a refused batch is proposed again when no change of leader says so
earlier.
"""


class Batcher:
    """Gathers commands into numbered batches and sees each to its end.

    ``submit(payload, answer) -> forget`` proposes once: ``answer`` is called at most
    once; ``forget()`` withdraws interest.
    """

    def __init__(
        self,
        node_id: str,
        incarnation: bytes,
        submit: Callable[[bytes, Answer], Callable[[], None]],
        *,
        timing: Timing,
        limits: Limits,
        schema: Callable[[], int] = lambda: 1,
    ) -> None:
        self._node_id = node_id
        self._incarnation = incarnation
        self._submit = submit
        self._schema = schema
        self._raise_to = 0
        self._attempt_s = timing.attempt_s
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._waiting = WaitingRoom(limits)
        self._flight: Flight | None = None
        self._forget: Callable[[], None] = _nothing
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._sweeper: asyncio.TimerHandle | None = None
        self._earliest_s = float("inf")
        self._launching = False
        self._paused = False
        self._closed = False
        self.batches = 0
        self.commands = 0
        self.attempts = 0
        self.expired = 0

    # -- asking

    def propose(self, command: bytes, deadline_s: float) -> "asyncio.Future[Applied]":
        """Return a future of the command's place and outcome. Raises Refused leaves."""
        if len(command) > self._limits.command_bytes:
            message = f"{len(command)} bytes are more than {self._limits.command_bytes}"
            raise TooLarge(message)
        return self._enqueue(command, deadline_s)

    def barrier(self, deadline_s: float) -> "asyncio.Future[Applied]":
        """Return a future, done once an entry proposed from now on was applied."""
        return self._enqueue(None, deadline_s)

    def raise_schema(self, schema: int) -> None:
        """Have the next batches raise what all agree on to ``schema`` (0: do not)."""
        self._raise_to = schema
        if schema and self._flight is None and not self._closed:
            self._launch_soon()

    def _enqueue(
        self, command: bytes | None, deadline_s: float
    ) -> "asyncio.Future[Applied]":
        if self._closed:
            message = "this replica is shutting down"
            raise Stopping(message)
        future: asyncio.Future[Applied] = self._loop.create_future()
        self._waiting.admit(Waiter(command, future, deadline_s))
        if deadline_s < self._earliest_s:
            self._earliest_s = deadline_s
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)
        if self._flight is None:
            self._launch_soon()
        return future

    # -- the batch under way

    def _launch_soon(self) -> None:
        if not self._launching and self._timer is None:
            self._launching = True
            self._loop.call_soon(self._launch)

    def _launch(self) -> None:
        self._launching = False
        if self._flight is not None or self._paused:
            return
        schema = self._schema()
        raise_to = self._raise_to if self._raise_to > schema else 0
        waiters, commands = self._waiting.take()
        if not waiters and not raise_to:
            return
        self._number += 1
        self.batches += 1
        self.commands += len(commands)
        batch = Batch(
            schema,
            self._node_id,
            self._incarnation,
            self._number,
            commands,
            raise_to,
        )
        self._flight = Flight(self._number, encode_batch(batch), waiters)
        self._attempt()

    def _attempt(self) -> None:
        flight = self._flight
        if flight is None:
            return
        self._cancel_timer()
        self._forget()
        flight.attempt += 1
        flight.open = True
        self.attempts += 1
        attempt = flight.attempt

        def answer(verdict: Verdict, result: BatchResult | None) -> None:
            if self._flight is flight and flight.attempt == attempt:
                self._on_answer(flight, verdict, result)

        self._timer = self._loop.call_later(self._attempt_s, self._timed_out)
        self._forget = self._submit(flight.payload, answer)

    def _timed_out(self) -> None:
        if self._flight is not None:
            self._flight.maybe_logged |= self._flight.open
            self._attempt()

    def _on_answer(
        self, flight: Flight, verdict: Verdict, result: BatchResult | None
    ) -> None:
        flight.open = False
        if verdict is Verdict.DONE and result is not None:
            flight.resolve(result)
            self._land()
            return
        if verdict is Verdict.UNKNOWN or verdict is Verdict.DONE:
            flight.maybe_logged = True
        elif not flight.maybe_logged:
            if verdict is Verdict.OVERLOADED:
                flight.fail(Overloaded("the leader's queue is full"))
                self._land()
            else:
                self._dissolve(flight)
            return
        self._cancel_timer()
        self._timer = self._loop.call_later(RETRY_S, self._attempt)

    def _dissolve(self, flight: Flight) -> None:
        """Send the waiters of a batch that is certainly not in the log back to wait.

        One of them may be refused at its deadline; it must not be in what is proposed
        for the others afterwards. The number is not used again.
        """
        self._flight = None
        self._waiting.put_back(flight.waiters)
        self._cancel_timer()
        self._timer = self._loop.call_later(RETRY_S, self._end_pause)

    def _end_pause(self) -> None:
        self._timer = None
        self._launch_soon()

    def leader_changed(self) -> None:
        """Propose what is under way again at once: its former attempt may be lost."""
        flight = self._flight
        if flight is not None:
            flight.maybe_logged |= flight.open
            self._cancel_timer()
            self._timer = self._loop.call_later(0, self._attempt)
        elif self._timer is not None:
            self._cancel_timer()
            self._launch_soon()

    def _land(self) -> None:
        self._cancel_timer()
        self._forget()
        self._forget = _nothing
        self._flight = None
        if self._waiting:
            self._launch_soon()

    def _cancel_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # -- deadlines, pausing, the end

    def _sweep(self) -> None:
        self._sweeper = None
        now_s = self._loop.time()
        if now_s >= self._earliest_s:
            self._expire(now_s, NoLeader("no leader until the deadline"))
        if self._waiting or self._flight is not None:
            self._sweeper = self._loop.call_later(SWEEP_S, self._sweep)

    def _expire(self, now_s: float, error: Refused) -> None:
        expired, self._earliest_s = self._waiting.expire(now_s, error)
        self.expired += expired
        if self._flight is None:
            return
        expired, earliest_s = self._flight.expire(now_s)
        self.expired += expired
        self._earliest_s = min(self._earliest_s, earliest_s)
        if earliest_s == float("inf"):
            self._land()  # nobody waits: the next batch need not wait either

    @property
    def is_idle(self) -> bool:
        """Whether nothing is under way or waiting."""
        return self._flight is None and not self._waiting

    @property
    def waiting(self) -> int:
        """How many commands and barriers wait for a place in a batch."""
        return len(self._waiting)

    def pause(self) -> None:
        """Start no new batch (leadership is being handed over)."""
        self._paused = True

    def resume(self) -> None:
        """Start batches again."""
        self._paused = False
        if self._flight is None and self._waiting:
            self._launch_soon()

    def close(self) -> None:
        """Take nothing more; what is under way goes on."""
        self._closed = True

    def abandon(self) -> None:
        """Answer everyone who still waits: the replica ends."""
        self._expire(float("inf"), Stopping("this replica is shutting down"))


def _nothing() -> None:
    """Forget nothing: no attempt is open."""
