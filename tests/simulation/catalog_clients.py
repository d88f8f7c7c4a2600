"""The second workload: the registry's own commands on its own catalog.

Registrations come, are renewed, expire, are revived and end. Afterwards the whole log
is replayed on the naive catalog of the tests, which must give the same outcomes and the
same services; and each registration's history must be linearizable.
"""

import asyncio
from collections.abc import Mapping
from itertools import count

import msgspec

from registry.catalog import invariants, outcomes
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Drain,
    Expire,
    Expiry,
    Forget,
    Key,
    Register,
    Renew,
    SetStatus,
    Suspect,
    Suspicion,
    Undrain,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.model import Check, ServiceId, ServiceName, Status
from tests.simulation.clients import Ask, Caller
from tests.simulation.judge import place
from tests.simulation.registration_model import parts, registration_step
from tests.simulation.verdict import check_history
from tests.simulation.watched_machine import inner_of
from tests.support.history import History, Operation
from tests.support.naive_catalog import NaiveCatalog
from tests.support.sim_node import SimNode

SERVICES = 3
IDS_OF_A_SERVICE = 4
ID_LIVES_S = 5.0
"""New ids come up over time, so that no id's history grows too long."""
FORGOTTEN_AFTER_S = 2 * ID_LIVES_S
"""By then no call names the id any more."""
CHECKED = 3
"""This one of a service's ids has a check, and an address of its own."""

Seen = tuple[str, Code, int]
"""What happened to one id: the kind of command, its code, its position."""

_encoder = msgspec.msgpack.Encoder()
_decoder: msgspec.msgpack.Decoder[AnyCommand] = msgspec.msgpack.Decoder(AnyCommand)


class SimCatalog(CatalogMachine):
    """The catalog, comparable as a whole."""

    def content(self) -> tuple[bytes, ...]:
        """Return the snapshot without its header, which names the index."""
        return tuple(self.snapshot())[1:]


class CatalogWorkload:
    """Implements ``Workload`` over the catalog."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._times_ms = count(1)
        self._history = History()
        self._unanswered: list[tuple[AnyCommand, bytes, float]] = []
        self._with_checks = caller.random.random() < 0.5
        """Then also with drains and all else that the naive catalog does not know."""

    @property
    def kinds(self) -> Mapping[Ask, float]:
        """See Workload."""
        kinds: dict[Ask, float] = {
            self._register: 3.0,
            self._renew: 3.0,
            self._deregister: 1.0,
            self._expire: 1.0,
            self._read: 2.0,
            self._burst: 0.3,
        }
        if self._with_checks:
            kinds |= {
                self._check: 1.0,
                self._drain: 0.3,
                self._undrain: 0.3,
                self._say: 0.3,
                self._forget: 0.05,
            }
        return kinds

    async def probe(self, node: SimNode) -> bool:
        """See Workload."""
        return await self._register(node)

    @property
    def rests(self) -> bool:
        """See Workload."""
        return True

    async def live(self, *, ends_s: float) -> None:
        """Nothing goes on beside the clients."""

    async def calm(self, nodes: list[SimNode]) -> None:
        """All is judged at the end."""

    # -- what clients ask

    async def _register(self, node: SimNode) -> bool:
        service_id = self._some_id()
        service = service_id.split("-")[1]
        command = Register(
            service_id=service_id,
            name=ServiceName(f"service-{service}"),
            host=_host(service_id),
            port=8500,
            at_ms=next(self._times_ms),
            ttl_seconds=30.0,
            check=Check() if self._with_checks and _is_checked(service_id) else None,
        )
        return await self._propose(node, command)

    async def _renew(self, node: SimNode) -> None:
        ids = {self._some_id() for _ in range(self._caller.random.choice((1, 1, 4)))}
        command = Renew(
            service_ids=tuple(sorted(ids)),
            at_ms=next(self._times_ms),
            by_check=self._with_checks and self._caller.random.random() < 0.3,
        )
        await self._propose(node, command)

    async def _deregister(self, node: SimNode) -> None:
        at_ms = next(self._times_ms)
        await self._propose(node, Deregister(service_id=self._some_id(), at_ms=at_ms))

    async def _expire(self, node: SimNode) -> None:
        """Let a lease run out as its keeper on ``node`` sees it (perhaps too late)."""
        if not node.serving:
            return
        service_id = self._some_id()
        catalog = catalog_of(node).catalog
        lease, known = catalog.lease(service_id), catalog.registration(service_id)
        if lease is None or known is None:
            return
        item = Expiry(service_id, known.generation, lease.renewed_at)
        await self._propose(node, Expire(items=(item,), at_ms=next(self._times_ms)))

    async def _check(self, node: SimNode) -> None:
        """Let a check be judged by a monitor on ``node`` (perhaps too late)."""
        if not node.serving:
            return
        service_id, at_ms = self._some_id(), next(self._times_ms)
        known = catalog_of(node).catalog.registration(service_id)
        if known is None or not _is_checked(service_id):
            return
        command = SetStatus(
            service_id=service_id,
            generation=known.generation,
            status=self._caller.random.choice((Status.HEALTHY, Status.UNHEALTHY)),
            cause=f"seen at {at_ms}",
            at_ms=at_ms,
            by_check=True,
        )
        await self._propose(node, command)

    async def _drain(self, node: SimNode) -> None:
        at_ms, key = next(self._times_ms), self._some_key()
        await self._propose(node, Drain(keys=(key,), reason="repair", at_ms=at_ms))

    async def _undrain(self, node: SimNode) -> None:
        at_ms, key = next(self._times_ms), self._some_key()
        await self._propose(node, Undrain(keys=(key,), cause="undrained", at_ms=at_ms))

    async def _say(self, node: SimNode) -> None:
        """Ask for opinions, which changes nothing."""
        items = (Suspicion(self._some_id(), 1),)
        at_ms = next(self._times_ms)
        await self._propose(node, Suspect(items=items, replica="a", at_ms=at_ms))

    async def _forget(self, node: SimNode) -> None:
        """Let go of what ended before the ids of now."""
        old_s = self._caller.now_s() - FORGOTTEN_AFTER_S
        acknowledged = reversed(self._caller.judge.acknowledged)
        before = next((w.position for w in acknowledged if w.at_s < old_s), 0)
        await self._propose(node, Forget(before=before, at_ms=next(self._times_ms)))

    async def _burst(self, node: SimNode) -> None:
        async with asyncio.TaskGroup() as group:
            for _ in range(self._caller.random.choice((5, 40))):
                group.create_task(self._register(node))

    async def _read(self, node: SimNode) -> None:
        service_id = self._some_id()

        def look() -> int | None:
            known = catalog_of(node).catalog.registration(service_id)
            return None if known is None else known.generation

        read = await self._caller.read(node, look)
        if read is not None:
            self._history.add(Operation(service_id, "read", None, *read))

    async def _propose(self, node: SimNode, command: AnyCommand) -> bool:
        encoded = _encoder.encode(command)
        answered = await self._caller.propose(node, encoded)
        if answered is None:
            return False
        if answered.applied is None:
            self._unanswered.append((command, encoded, answered.began_s))
            return False
        self._note(
            command,
            answered.applied.position,
            outcomes.decode(answered.applied.outcome),
            answered.began_s,
            answered.returned_s,
        )
        return True

    def _some_key(self) -> Key:
        service_id = self._some_id()
        name = ServiceName(f"service-{service_id.split('-')[1]}")
        return (name, _host(service_id), 8500)

    def _some_id(self) -> ServiceId:
        random = self._caller.random
        epoch = int(self._caller.now_s() / ID_LIVES_S)
        service, number = random.randrange(SERVICES), random.randrange(IDS_OF_A_SERVICE)
        return ServiceId(f"id-{service}-{number}-{epoch}")

    # -- what they were told

    def _note(
        self,
        command: AnyCommand,
        position: int,
        outcome: Outcome,
        began_s: float,
        returned_s: float | None,
    ) -> None:
        for service_id, argument, code in parts(command, outcome):
            seen: Seen = (type(command).__name__, code, position)
            self._history.add(
                Operation(service_id, "write", argument, seen, began_s, returned_s)
            )

    def check_end(self, nodes: list[SimNode]) -> None:
        """Replay the log on the naive catalog, then check each id's history."""
        judge = self._caller.judge
        for node in nodes:
            invariants.check(catalog_of(node).state)
        if not self._with_checks:
            self._compare_with_naive(nodes)
        for command, encoded, began_s in self._unanswered:
            found = judge.position_of(encoded)
            if found is not None:
                outcome = outcomes.decode(judge.log[found].outcome or b"")
                self._note(command, found, outcome, began_s, None)
        check_history(self._history, registration_step, judge, initial=None)

    def _compare_with_naive(self, nodes: list[SimNode]) -> None:
        judge, naive = self._caller.judge, NaiveCatalog()
        for position, entry in sorted(judge.log.items()):
            expected = naive.apply(position, _decoder.decode(entry.command))
            if entry.outcome != outcomes.encode(expected):
                judge.violated(f"{place(position)} should have given {expected}")
        for node in nodes:
            machine = catalog_of(node)
            shown = {
                name: list(view.instances)
                for name in machine.catalog.names()
                if (view := machine.catalog.service(name)) is not None
            }
            if shown != {name: naive.instances(name) for name in naive.names()}:
                judge.violated(f"{node.node_id} shows other services than the log says")


def _is_checked(service_id: ServiceId) -> bool:
    return service_id.split("-")[2] == str(CHECKED)


def _host(service_id: ServiceId) -> str:
    if _is_checked(service_id):
        return f"host-of-{service_id}"
    return f"host-{int(service_id.split('-')[2]) % 2}"


def catalog_of(node: SimNode) -> SimCatalog:
    """Return the catalog of the node's present life."""
    return inner_of(node.machine, SimCatalog)
