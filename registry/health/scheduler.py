"""When which instance is probed: one wheel, one coroutine, a bounded number at once.

Instances wait in buckets of 5 ms, so entering, moving and dropping one costs the same
however many there are, and few probes begin at once: a read that comes just then waits
for them (with 20 ms its p99 was 1.7 times that of a replica without checks).
(Rejected: a heap of instances. Moved ones would stay in it until their time comes.)

    enter --> bucket --due--> lane --room--> under way --> Owner.probed --> enter

Two lanes: what is ailing gets at most seven eighths of the room, so that thousands of
targets that hang until their time-outs hold up each other, not the checks of the rest.
(Rejected: half. A leader that reaches nothing has ailing ones only, and must be through
with them before their leases end.) What waits for room waits in the order in which it
fell due. An instance is in one place
only, so everything here is bounded by their number.
"""

import asyncio
from collections import OrderedDict
from heapq import heappop, heappush
from typing import Protocol

from registry.catalog.commands import Key
from registry.health.fence import Fence
from registry.ports import Clock, Prober, ProbeResult, Target

TICKS_PER_S = 200
MOST_AT_ONCE = 1_024
AT_ONE_TURN = 16
"""Probes started, and instances found due times four, before others get the loop."""


class Owner(Protocol):
    """Whom the scheduler works for."""

    def target(self, key: Key) -> Target | None:
        """Return what to probe now; None to leave it."""

    def probed(self, key: Key, result: ProbeResult, started_s: float) -> None:
        """Take a result; enters the instance again."""


class Scheduler:
    """Probes each entered instance once, when it is due.

    Invariant: a key is in one bucket, in one lane or under way, or not here at all.
    """

    def __init__(
        self,
        *,
        owner: Owner,
        prober: Prober,
        clock: Clock,
        most_at_once: int = MOST_AT_ONCE,
    ) -> None:
        self._owner = owner
        self._prober = Fence(prober, clock)
        self._clock = clock
        self._most_at_once = most_at_once
        self._most_ailing = max(1, most_at_once * 7 // 8)
        self._buckets: dict[int, dict[Key, bool]] = {}
        """Tick -> instances due then, and whether they are ailing."""
        self._ticks: list[int] = []
        """A heap of the ticks that have a bucket, each once."""
        self._tick_of: dict[Key, int] = {}
        self._lanes: tuple[OrderedDict[Key, int], OrderedDict[Key, int]] = (
            OrderedDict(),
            OrderedDict(),
        )
        """What is due and waits, with its tick: the others, and the ailing."""
        self._tasks: dict[Key, asyncio.Task[None]] = {}
        self._running = [0, 0]
        """Probes that are under way in each lane, cancelled ones that end included."""
        self._wake = asyncio.Event()
        self._wakes_at_tick: float = 0

    def enter(self, key: Key, due_s: float, *, is_ailing: bool) -> None:
        """Probe it at ``due_s``, and not when it was entered for before.

        A probe under way is ended: it belongs to another registration.
        """
        self.drop(key)
        tick = self._tick(due_s)
        bucket = self._buckets.get(tick)
        if bucket is None:
            bucket = self._buckets[tick] = {}
            heappush(self._ticks, tick)
            if tick < self._wakes_at_tick:
                self._wake.set()
        bucket[key] = is_ailing
        self._tick_of[key] = tick

    def hasten(self, key: Key, due_s: float, *, is_ailing: bool) -> None:
        """Probe it at ``due_s`` if that is earlier; one under way goes on."""
        tick = self._tick_of.get(key)
        if tick is not None and tick > self._tick(due_s):
            self.enter(key, due_s, is_ailing=is_ailing)

    def drop(self, key: Key) -> None:
        """Probe it no more."""
        tick = self._tick_of.pop(key, None)
        if tick is not None:
            del self._buckets[tick][key]
            return
        for lane in self._lanes:
            lane.pop(key, None)
        task = self._tasks.pop(key, None)
        if task is not None:
            task.cancel()

    def counters(self) -> dict[str, float]:
        """Return what a scrape shows."""
        waiting = [next(iter(lane.values())) for lane in self._lanes if lane]
        lag_s = 0.0
        if waiting:
            lag_s = max(0.0, self._clock.now_s() - min(waiting) / TICKS_PER_S)
        in_lanes = sum(len(lane) for lane in self._lanes)
        return {
            "registry_health_checks_scheduled": float(
                len(self._tick_of) + in_lanes + len(self._tasks)
            ),
            "registry_health_checks_under_way": float(sum(self._running)),
            "registry_health_check_lag_seconds": lag_s,
        }

    async def run(self) -> None:
        """Probe until cancelled."""
        async with asyncio.TaskGroup() as group:
            while True:
                self._wake.clear()
                is_idle = self._collect_due() & self._start(group)
                if not is_idle:
                    await asyncio.sleep(0)
                    continue
                await self._wait()

    async def _wait(self) -> None:
        loop = asyncio.get_running_loop()
        self._wakes_at_tick = self._ticks[0] if self._ticks else float("inf")
        handle = None
        if self._ticks:
            left_s = self._ticks[0] / TICKS_PER_S - self._clock.now_s()
            handle = loop.call_later(max(0.0, left_s), self._wake.set)
        try:
            await self._wake.wait()
        finally:
            self._wakes_at_tick = 0
            if handle is not None:
                handle.cancel()

    def _collect_due(self) -> bool:
        """Move what is due into its lane; True if all of it."""
        # A tick's time divided and multiplied again may come out a hair below it.
        now_tick = self._clock.now_s() * TICKS_PER_S + 0.001
        budget = 4 * AT_ONE_TURN
        while self._ticks and self._ticks[0] <= now_tick:
            tick = self._ticks[0]
            bucket = self._buckets[tick]
            while bucket and budget:
                key, is_ailing = bucket.popitem()
                del self._tick_of[key]
                self._lanes[is_ailing][key] = tick
                budget -= 1
            if bucket:
                return False
            del self._buckets[tick]
            heappop(self._ticks)
        return True

    def _start(self, group: asyncio.TaskGroup) -> bool:
        """Start what waits, as far as there is room; True if no more can be."""
        budget = AT_ONE_TURN
        for is_ailing, lane in enumerate(self._lanes):
            while lane and self._has_room(is_ailing):
                if not budget:
                    return False
                budget -= 1
                key, _tick = lane.popitem(last=False)
                target = self._owner.target(key)
                if target is not None:
                    self._begin(group, key, target, is_ailing)
        return True

    def _has_room(self, is_ailing: int) -> bool:
        if is_ailing and self._running[1] >= self._most_ailing:
            return False
        return sum(self._running) < self._most_at_once

    def _begin(
        self, group: asyncio.TaskGroup, key: Key, target: Target, is_ailing: int
    ) -> None:
        self._running[is_ailing] += 1
        task = group.create_task(self._probe(key, target))
        self._tasks[key] = task

        def ended(_task: asyncio.Task[None]) -> None:
            # Not in the coroutine: one that is cancelled early never runs.
            self._running[is_ailing] -= 1
            if self._lanes[0] or self._lanes[1]:
                self._wake.set()

        task.add_done_callback(ended)

    async def _probe(self, key: Key, target: Target) -> None:
        started_s = self._clock.now_s()
        result = await self._prober.probe(target)
        if self._tasks.get(key) is not asyncio.current_task():
            return  # Dropped or entered anew, but the cancellation came too late.
        del self._tasks[key]
        self._owner.probed(key, result, started_s)

    @staticmethod
    def _tick(due_s: float) -> int:
        return int(due_s * TICKS_PER_S)
