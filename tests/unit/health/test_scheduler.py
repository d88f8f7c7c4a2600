"""The wheel: each instance when it is due, a bounded number at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from random import Random

from registry.catalog.commands import Key
from registry.health.scheduler import Scheduler
from registry.model import ServiceName
from registry.ports import ProbeResult, Target
from tests.support.virtual import virtually
from tests.unit.health.world import FakeProber, VirtualClock


def _key(port: int) -> Key:
    return (ServiceName("web"), "h", port)


class Checks:
    """An owner that notes results, and enters again after ``again_s``."""

    def __init__(self, *, most_at_once: int = 1_024, again_s: float = 0.0) -> None:
        self.prober = FakeProber()
        self.clock = VirtualClock()
        self.results: list[tuple[float, int, str]] = []
        self.scheduler = Scheduler(
            owner=self,
            prober=self.prober,
            clock=self.clock,
            most_at_once=most_at_once,
        )
        self._again_s = again_s

    def target(self, key: Key) -> Target | None:
        """Probe everything."""
        return Target("http", key[1], key[2], "/", timeout_s=5.0)

    def probed(self, key: Key, result: ProbeResult, started_s: float) -> None:
        """Note the result."""
        now_s = round(self.clock.now_s(), 2)
        self.results.append((now_s, key[2], result.cause))
        if self._again_s:
            self.enter(key[2], started_s + self._again_s)

    def enter(self, port: int, due_s: float, *, is_ailing: bool = False) -> None:
        """Enter an instance."""
        self.scheduler.enter(_key(port), due_s, is_ailing=is_ailing)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Run the scheduler."""
        task = asyncio.create_task(self.scheduler.run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


@virtually
async def test_each_is_probed_when_it_is_due() -> None:
    """Also one that is entered behind the others, to be earlier than all."""
    checks = Checks()
    async with checks.running():
        checks.enter(1, 3.0)
        checks.enter(2, 1.0)
        await asyncio.sleep(0.5)
        checks.enter(3, 0.6)
        await asyncio.sleep(5.0)

    assert [(at_s, port) for at_s, port, _ in checks.results] == [
        (0.6, 3),
        (1.0, 2),
        (3.0, 1),
    ]


@virtually
async def test_entering_again_moves_it_and_dropping_forgets_it() -> None:
    """An instance is in one place only."""
    checks = Checks()
    async with checks.running():
        checks.enter(1, 1.0)
        checks.enter(1, 4.0)
        checks.enter(2, 1.0)
        checks.scheduler.drop(_key(2))
        await asyncio.sleep(10.0)

    assert [(at_s, port) for at_s, port, _ in checks.results] == [(4.0, 1)]


@virtually
async def test_hastening_only_ever_makes_it_earlier() -> None:
    """A transition must not put off a probe that is due sooner."""
    checks = Checks()
    async with checks.running():
        checks.enter(1, 9.0)
        checks.enter(2, 0.5)
        for port in (1, 2, 3):
            checks.scheduler.hasten(_key(port), 2.0, is_ailing=True)
        await asyncio.sleep(10.0)

    assert [(at_s, port) for at_s, port, _ in checks.results] == [(0.5, 2), (2.0, 1)]


@virtually
async def test_entering_ends_a_probe_of_the_former_registration() -> None:
    """Its result would be held against the new one."""
    checks = Checks()
    checks.prober.delays_s[1] = 2.0
    async with checks.running():
        checks.enter(1, 0.0)
        await asyncio.sleep(1.0)
        checks.enter(1, 1.0)
        await asyncio.sleep(1.5)
        assert checks.results == []
        await asyncio.sleep(1.0)

    assert len(checks.results) == 1
    assert len(checks.prober.asked) == 2


@virtually
async def test_no_more_are_under_way_than_are_allowed() -> None:
    """What waits is told as a lag; nothing is lost."""
    checks = Checks(most_at_once=10)
    for port in range(100):
        checks.prober.delays_s[port] = 1.0
        checks.enter(port, 0.0)
    async with checks.running():
        await asyncio.sleep(5.5)
        counters = checks.scheduler.counters()
        await asyncio.sleep(10.0)

    assert checks.prober.most_under_way == 10
    assert len(checks.results) == 100
    assert counters["registry_health_checks_under_way"] == 10
    assert counters["registry_health_checks_scheduled"] == 50
    assert 5.4 < counters["registry_health_check_lag_seconds"] < 5.6


@virtually
async def test_the_ailing_leave_an_eighth_of_the_room() -> None:
    """A rack of targets that hang until their time-outs must not delay the others."""
    checks = Checks(most_at_once=16)
    for port in range(100):
        checks.prober.delays_s[port] = 5.0
        checks.enter(port, 0.0, is_ailing=True)
    async with checks.running():
        await asyncio.sleep(1.0)
        assert checks.prober.under_way == 14
        checks.enter(1000, 1.0)
        await asyncio.sleep(0.1)

    assert [port for _, port, _ in checks.results] == [1000]


@virtually
async def test_many_that_are_due_at_once_leave_the_loop_to_others_between() -> None:
    """After a stopped process goes on, everything is due; requests are, too."""
    checks = Checks()
    for port in range(5_000):
        checks.enter(port, 0.0)
    turns = 0
    async with checks.running():
        while len(checks.results) < 5_000:
            await asyncio.sleep(0)
            turns += 1

    assert turns > 20


@virtually
async def test_whatever_happens_in_whatever_order_nothing_is_lost() -> None:
    """What was entered last is probed, what was dropped is not, room is given back."""
    random = Random(7)
    checks = Checks(most_at_once=8)
    due: dict[int, float] = {}
    async with checks.running():
        for _ in range(3_000):
            now_s, port = checks.clock.now_s(), random.randrange(40)
            checks.prober.delays_s[port] = random.choice((0.0, 0.1, 2.0))
            at_s = now_s + random.random() * 5
            if random.random() < 0.3:
                checks.scheduler.drop(_key(port))
                due.pop(port, None)
            elif random.random() < 0.3:
                checks.scheduler.hasten(_key(port), at_s, is_ailing=True)
            else:
                checks.enter(port, at_s, is_ailing=random.random() < 0.5)
                due[port] = now_s
            await asyncio.sleep(random.choice((0.0, 0.02)))
        await asyncio.sleep(100.0)

    last = {port: at_s for at_s, port, _ in checks.results}
    assert all(last[port] >= round(entered_s, 2) for port, entered_s in due.items())
    assert set(checks.scheduler.counters().values()) == {0.0}
    assert checks.prober.most_under_way <= 8


@virtually
async def test_a_dropped_probe_gives_its_room_back() -> None:
    """Also one that was cancelled before it ran at all."""
    checks = Checks(most_at_once=1)
    async with checks.running():
        for port in range(5):
            checks.prober.delays_s[port] = 100.0
            checks.enter(port, 0.0)
            await asyncio.sleep(0)
            checks.scheduler.drop(_key(port))
        await asyncio.sleep(1.0)
        checks.enter(9, 1.0)
        await asyncio.sleep(1.0)

    assert [port for _, port, _ in checks.results] == [9]
