"""The judge of leases and checks: what the log says against how the services lived.

It hears of each command when a replica proposes it, and when the first replica applies
it. So it knows when each proof of life was in the log, when a keeper or a monitor made
up its mind, and for how much of the time between the cluster committed anything.
"""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import count

import msgspec

from registry.catalog import outcomes
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Expire,
    Expiry,
    Key,
    Register,
    Renew,
    SetStatus,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.model import ServiceId, Status
from tests.simulation.judge import Judge
from tests.simulation.services import SimService

NONCE_BYTES = 8
ABLE_GAP_S = 0.5
"""Commands come all the time: a longer silence of the log is a time without writes."""
ROUNDING_S = 0.01
UNABLE_SLACK_S = 0.1
GATHERED_S = 1.0
"""So long a passing check may take to be in the log."""
SEEN_SHARE = 0.6
"""Of a lease: checks are put into the log once per third of it."""
PASSES = 16
OPINION_S = 3.0
"""How long before a verdict its probes and opinions may lie, beside the intervals."""

_decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)


def _last_passes() -> deque[tuple[int, float]]:
    return deque(maxlen=PASSES)


@dataclass(slots=True)
class Claim:
    """One registration as the log tells of it."""

    key: Key
    proof_s: float
    """When its last proof of life was in the log, """
    proof_able_s: float
    """and how much time had been good for writes by then."""


@dataclass(frozen=True, slots=True)
class Decision:
    """Who proposed a command, in which term, and when."""

    node_id: str
    term: int
    at_s: float
    able_s: float
    """How much time had been good for writes by then."""


@dataclass(slots=True)
class Sight:
    """What the probes of one address came to."""

    failed_s: float = -1e9
    """The last failure that was the service's own: not that of a blind replica."""
    passed_leading: deque[tuple[int, float]] = field(default_factory=_last_passes)
    """Term and time of the last passing probes of leaders."""


class LeaseJudge:
    """Judges each decision about a lease or a status. ``services`` is the truth."""

    def __init__(self, judge: Judge, now_s: Callable[[], float]) -> None:
        self.services: dict[Key, SimService] = {}
        self.replicas = 0
        self._judge = judge
        self._now_s = now_s
        self._by_address: dict[tuple[str, int], SimService] = {}
        self._nonces = count(1)
        self._proposed: dict[bytes, Decision] = {}
        self._claims: dict[ServiceId, Claim] = {}
        self._sights: dict[tuple[str, int], Sight] = {}
        self._last_position = 0
        self._last_commit_s = 0.0
        self._able_s = 0.0

    def at(self, host: str, port: int) -> SimService:
        """Return the service behind an address."""
        return self._by_address[host, port]

    def enter(self, service: SimService) -> None:
        """Know one more service."""
        self.services[service.traits.key] = service
        self._by_address[service.traits.key[1:]] = service

    def knows(self, service_id: ServiceId) -> bool:
        """Whether the log holds a registration of this id, and no goodbye after it."""
        return service_id in self._claims

    # -- what it hears

    def sign(self, node_id: str, term: int, command: bytes) -> bytes:
        """Note who proposes and when; return the command as it goes into the log.

        Two proposals of one command are told apart, as those of two clients are.
        """
        nonce = next(self._nonces).to_bytes(NONCE_BYTES, "big")
        self._proposed[nonce] = Decision(node_id, term, self._now_s(), self.able_s())
        return nonce + command

    def able_s(self) -> float:
        """Return for how long the cluster has been able to commit by now."""
        silent_s = self._now_s() - self._last_commit_s
        return self._able_s + min(silent_s, ABLE_GAP_S)

    def probed(self, key: Key, *, passed: bool, leads_term: int | None) -> None:
        """A probe had its answer from the service itself; None: of a follower."""
        sight = self._sight(key)
        if not passed:
            sight.failed_s = self._now_s()
        elif leads_term is not None:
            sight.passed_leading.append((leads_term, self._now_s()))

    def applied(
        self, machine: CatalogMachine, position: int, signed: bytes, encoded: bytes
    ) -> None:
        """A replica applied a command; the first one counts."""
        if position <= self._last_position:
            return
        self._last_position = position
        self._able_s, self._last_commit_s = self.able_s(), self._now_s()
        nonce, command = signed[:NONCE_BYTES], _decoder.decode(signed[NONCE_BYTES:])
        unknown = Decision("?", 0, self._now_s(), self._able_s)
        who = self._proposed.pop(nonce, unknown)
        self._judge.counts[f"command:{type(command).__name__}"] += 1
        self._weigh(machine, command, outcomes.decode(encoded), who)

    def _sight(self, key: Key) -> Sight:
        return self._sights.setdefault(key[1:], Sight())

    # -- what it thinks of it

    def _weigh(
        self,
        machine: CatalogMachine,
        command: AnyCommand,
        outcome: Outcome,
        who: Decision,
    ) -> None:
        match command:
            case Register() if outcome.code is Code.OK:
                key = (command.name, command.host, command.port)
                self._prove(command.service_id, key)
            case Renew():
                for item, code in zip(command.service_ids, outcome.items, strict=True):
                    if code in (Code.OK, Code.REVIVED):
                        self._renewed(item, revived=code is Code.REVIVED)
            case SetStatus(by_check=True) if outcome.code is Code.OK:
                self._set_status(command, who)
            case Expire():
                for expiry, code in zip(command.items, outcome.items, strict=True):
                    self._judge.counts[f"expire:{code.name}"] += 1
                    if code is Code.OK:
                        self._expired(machine, expiry, who)
            case Deregister() if outcome.code is Code.OK:
                self._claims.pop(command.service_id, None)

    def _prove(self, service_id: ServiceId, key: Key) -> None:
        self._claims[service_id] = Claim(key, self._now_s(), self._able_s)

    def _renewed(self, service_id: ServiceId, *, revived: bool) -> None:
        if revived:
            self._judge.counts["revived"] += 1
        claim = self._claims.get(service_id)
        if claim is not None:
            claim.proof_s, claim.proof_able_s = self._now_s(), self._able_s

    def _set_status(self, command: SetStatus, who: Decision) -> None:
        self._judge.counts[f"checked:{command.status.value}"] += 1
        claim = self._claims.get(command.service_id)
        if claim is None:
            return
        if command.status is Status.HEALTHY:
            self._renewed(command.service_id, revived=False)
        elif command.status is Status.UNHEALTHY:
            self._condemned(claim.key, command, who)

    def _condemned(self, key: Key, command: SetStatus, who: Decision) -> None:
        """It was called unhealthy: not because one replica does not reach it."""
        service = self.services[key]
        sight = self._sight(key)
        within_s = service.traits.check_takes_s + OPINION_S
        since_s = who.at_s - within_s
        if self.replicas == 1 or sight.failed_s >= since_s:
            return
        self._judge.violated(
            f"{who.node_id} calls {service.label} unhealthy ({command.cause}), which "
            f"no probe that reached it has found failing for {within_s:.1f} s"
        )

    def _expired(self, machine: CatalogMachine, expiry: Expiry, who: Decision) -> None:
        claim = self._claims.get(expiry.service_id)
        lease = machine.catalog.lease(expiry.service_id)
        is_kept = lease is not None and lease.expired
        if claim is None:
            return
        service = self.services[claim.key]
        self._judge.counts["kept when expired" if is_kept else "gone by lease"] += 1
        self._demand_time(expiry.service_id, claim, service, who)
        self._demand_unseen(expiry.service_id, service, who)
        gone = machine.catalog.gone(expiry.service_id)
        if not is_kept and (gone is None or not gone.cause):
            self._judge.violated(f"{expiry.service_id} is gone without a cause")

    def _demand_time(
        self,
        service_id: ServiceId,
        claim: Claim,
        service: SimService,
        who: Decision,
    ) -> None:
        """I4, by the time that passed, and by the time that was good for writes."""
        node_id, lease_s = who.node_id, service.traits.lease_s
        passed_s, good_s = who.at_s - claim.proof_s, who.able_s - claim.proof_able_s
        if lease_s == 0:
            self._judge.violated(f"{node_id} expires {service_id}, which is permanent")
        elif passed_s < lease_s - ROUNDING_S:
            self._judge.violated(
                f"FALSE EVICTION: {node_id} expires {service_id} {passed_s:.3f} s "
                f"after a proof of life, its lease is {lease_s:g} s"
            )
        elif good_s < lease_s - UNABLE_SLACK_S:
            self._judge.violated(
                f"FALSE EVICTION: {node_id} expires {service_id} {passed_s:.3f} s "
                f"after a proof of life, but only in {good_s:.3f} s of these could one "
                f"be taken; its lease is {lease_s:g} s"
            )

    def _demand_unseen(
        self, service_id: ServiceId, service: SimService, who: Decision
    ) -> None:
        """Who expires has not itself seen a passing check of late, as this leader.

        A check of the last moment may still be on its way into the log.
        """
        if service.service_id != service_id or not service.acknowledged:
            return
        least_s = GATHERED_S
        most_s = service.traits.lease_s * SEEN_SHARE
        for term, passed_s in self._sight(service.traits.key).passed_leading:
            ago_s = who.at_s - passed_s
            if term == who.term and least_s < ago_s < most_s:
                self._judge.violated(
                    f"FALSE EVICTION: {who.node_id} expires {service_id}, whose check "
                    f"it has seen passing {ago_s:.3f} s ago"
                )
