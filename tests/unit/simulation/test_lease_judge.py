"""The judge of leases on logs made by hand: the guilty are found, the innocent not."""

import asyncio
from random import Random

import msgspec

from registry.catalog.commands import (
    AnyCommand,
    Expire,
    Expiry,
    Register,
    Renew,
    SetStatus,
)
from registry.model import Check, ServiceId, ServiceName, Status
from tests.simulation.judge import Judge
from tests.simulation.lease_judge import LeaseJudge
from tests.simulation.lease_machine import SimLeaseCatalog
from tests.simulation.services import Mood, SimService, Traits
from tests.simulation.timeline import Timeline

CHECK = Check(interval_seconds=1.0, timeout_seconds=0.5, failures=2)
LEASE_S = 3.0
TERM = 7
WEB = ServiceId("web-1")


class Nobody:
    """A registry that nobody calls."""

    async def register(self, command: Register) -> bool:
        """Refuse."""
        return False

    async def heartbeat(self, service_id: ServiceId) -> bool | None:
        """Refuse."""
        return None

    async def deregister(self, service_id: ServiceId) -> bool:
        """Refuse."""
        return False


class Story:
    """A log written by hand, in time that passes by hand, with a judge to it."""

    def __init__(self, *, check: Check | None = None, ttl_s: float = LEASE_S) -> None:
        self.now_s = 0.0
        timeline = Timeline(lambda: self.now_s)
        self.judge = Judge(timeline, lambda: None)
        self.leases = LeaseJudge(self.judge, lambda: self.now_s)
        self.leases.replicas = 3
        self.machine = SimLeaseCatalog(self.leases)
        self._position = 0
        traits = Traits(ServiceName("web"), "host", 80, ttl_s, beats=True, check=check)
        self.service = SimService(
            traits,
            Nobody(),
            random=Random(0),
            now_s=lambda: self.now_s,
            calm=asyncio.Event(),
            tell=lambda _: None,
            complain=self.judge.violated,
        )
        self.service.change(Mood.UP)
        self.service.service_id, self.service.acknowledged = WEB, True
        self.leases.enter(self.service)
        self.commit(
            Register(
                service_id=WEB,
                name=traits.name,
                host=traits.host,
                port=traits.port,
                at_ms=0,
                ttl_seconds=ttl_s,
                check=check,
            )
        )

    def commit(self, command: AnyCommand, *, after_s: float = 0.0) -> None:
        """Propose, and apply ``after_s`` later."""
        signed = self.leases.sign("a", TERM, msgspec.msgpack.encode(command))
        self.now_s += after_s
        self._position += 256
        self.machine.apply(self._position, signed)

    def wait(self, seconds: float, *, able: bool = True) -> None:
        """Let time pass, with or without writes in it."""
        ends_s = self.now_s + seconds
        while able and self.now_s < ends_s - 0.2:
            self.now_s += 0.2
            self.commit(Renew(service_ids=(ServiceId("canary"),), at_ms=0))
        self.now_s = ends_s

    def expire(self) -> str | None:
        """Let its lease run out as a keeper that sees all would say it."""
        lease = self.machine.catalog.lease(WEB)
        assert lease is not None
        item = Expiry(WEB, lease.registration.generation, lease.renewed_at, 1.0)
        self.commit(Expire(items=(item,), at_ms=0))
        return self.judge.violation

    def condemn(self) -> str | None:
        """Call it unhealthy."""
        known = self.machine.catalog.registration(WEB)
        assert known is not None
        self.commit(
            SetStatus(
                service_id=WEB,
                generation=known.generation,
                status=Status.UNHEALTHY,
                cause="check_failed: connect refused (2 of 2)",
                at_ms=0,
                by_check=True,
            )
        )
        return self.judge.violation

    def probe(self, *, passed: bool, leads: bool = True) -> None:
        """Let a probe of replica a come to its end."""
        key = self.service.traits.key
        term = TERM if leads else None
        self.leases.probed(key, passed=passed, leads_term=term)


def test_an_expiry_in_time_is_no_violation() -> None:
    """A judge that condemns the innocent is of no use."""
    story = Story()
    story.wait(LEASE_S)

    assert story.expire() is None
    assert story.judge.counts["gone by lease"] == 1


def test_an_early_expiry_is_a_false_eviction() -> None:
    """I4: not before its time since the last proof of life."""
    story = Story()
    story.wait(2.0)
    story.commit(Renew(service_ids=(WEB,), at_ms=0))
    story.wait(LEASE_S - 0.1)

    assert "FALSE EVICTION" in (story.expire() or "")


def test_an_expiry_that_was_decided_early_is_one_however_late_it_is_applied() -> None:
    """What a keeper decides counts, not when the log takes it."""
    story = Story()
    story.wait(LEASE_S - 0.5)
    lease = story.machine.catalog.lease(WEB)
    assert lease is not None
    item = Expiry(WEB, lease.registration.generation, lease.renewed_at, 1.0)
    story.commit(Expire(items=(item,), at_ms=0), after_s=2.0)

    assert "FALSE EVICTION" in (story.judge.violation or "")


def test_time_in_which_nothing_could_be_written_does_not_count() -> None:
    """I4: not counting spans in which the registry could not take a proof."""
    story = Story()
    story.wait(1.0)
    story.wait(4.0, able=False)
    story.wait(1.0)

    assert "could one be taken" in (story.expire() or "")


def test_a_permanent_registration_never_expires() -> None:
    """``ttl_seconds: 0``: until deregistered."""
    story = Story(ttl_s=0.0)
    story.wait(100.0)

    assert "permanent" in (story.expire() or "")


def test_who_saw_it_passing_does_not_expire_it() -> None:
    """A passing check is a proof of life as much as a heartbeat."""
    story = Story(check=CHECK)
    story.wait(LEASE_S)
    story.probe(passed=True)
    story.wait(1.5)

    assert "seen passing" in (story.expire() or "")


def test_only_a_failure_of_its_own_makes_it_unhealthy() -> None:
    """One blind replica's failures say nothing of the service."""
    blind, seen = Story(check=CHECK), Story(check=CHECK)
    for story in (blind, seen):
        story.wait(20.0)
    seen.probe(passed=False)

    assert "no probe that reached it" in (blind.condemn() or "")
    assert seen.condemn() is None
