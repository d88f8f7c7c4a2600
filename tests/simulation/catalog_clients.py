"""The second workload: the registry's own commands on its own catalog.

Registrations come, are renewed, expire, are revived and end. Afterwards the whole log
is replayed on the naive catalog of the tests, which must give the same outcomes and the
same services; and each registration's history must be linearizable.
"""

import asyncio
from collections.abc import Hashable, Iterator, Mapping
from itertools import count

import msgspec

from registry.catalog import invariants, outcomes
from registry.catalog.commands import (
    AnyCommand,
    Deregister,
    Expire,
    Expiry,
    Register,
    Renew,
)
from registry.catalog.machine import CatalogMachine
from registry.catalog.outcomes import Code, Outcome
from registry.model import ServiceId, ServiceName
from tests.simulation.clients import Ask, Caller
from tests.simulation.judge import place
from tests.simulation.verdict import check_history
from tests.simulation.watched_machine import inner_of
from tests.support.history import History, Operation
from tests.support.naive_catalog import NaiveCatalog
from tests.support.sim_node import SimNode
from tests.support.wgl import IMPOSSIBLE

SERVICES = 3
IDS_OF_A_SERVICE = 4
ID_LIVES_S = 5.0
"""New ids come up over time, so that no id's history grows too long."""

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

    @property
    def kinds(self) -> Mapping[Ask, float]:
        """See Workload."""
        return {
            self._register: 3.0,
            self._renew: 3.0,
            self._deregister: 1.0,
            self._expire: 1.0,
            self._read: 2.0,
            self._burst: 0.3,
        }

    async def probe(self, node: SimNode) -> bool:
        """See Workload."""
        return await self._register(node)

    # -- what clients ask

    async def _register(self, node: SimNode) -> bool:
        service_id = self._some_id()
        _, service, number, _ = service_id.split("-")
        command = Register(
            service_id=service_id,
            name=ServiceName(f"service-{service}"),
            host=f"host-{int(number) % 2}",
            port=8500,
            at_ms=next(self._times_ms),
            ttl_seconds=30.0,
        )
        return await self._propose(node, command)

    async def _renew(self, node: SimNode) -> None:
        ids = {self._some_id() for _ in range(self._caller.random.choice((1, 1, 4)))}
        command = Renew(service_ids=tuple(sorted(ids)), at_ms=next(self._times_ms))
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
        for service_id, argument, code in _parts(command, outcome):
            seen: Seen = (type(command).__name__, code, position)
            self._history.add(
                Operation(service_id, "write", argument, seen, began_s, returned_s)
            )

    def check_end(self, nodes: list[SimNode]) -> None:
        """Replay the log on the naive catalog, then check each id's history."""
        judge, naive = self._caller.judge, NaiveCatalog()
        for position, entry in sorted(judge.log.items()):
            expected = naive.apply(position, _decoder.decode(entry.command))
            if entry.outcome != outcomes.encode(expected):
                judge.violated(f"{place(position)} should have given {expected}")
        for node in nodes:
            machine = catalog_of(node)
            invariants.check(machine.state)
            shown = {
                name: list(view.instances)
                for name in machine.catalog.names()
                if (view := machine.catalog.service(name)) is not None
            }
            if shown != {name: naive.instances(name) for name in naive.names()}:
                judge.violated(f"{node.node_id} shows other services than the log says")
        for command, encoded, began_s in self._unanswered:
            found = judge.position_of(encoded)
            if found is not None:
                outcome = outcomes.decode(judge.log[found].outcome or b"")
                self._note(command, found, outcome, began_s, None)
        check_history(self._history, registration_step, judge, initial=None)


def _parts(
    command: AnyCommand, outcome: Outcome
) -> Iterator[tuple[ServiceId, Hashable, Code]]:
    """Yield what one command did to each id that it names."""
    if isinstance(command, Renew):
        for service_id, code in zip(command.service_ids, outcome.items, strict=True):
            yield service_id, None, code
    elif isinstance(command, Expire):
        for item, code in zip(command.items, outcome.items, strict=True):
            yield item.service_id, (item.generation, item.renewed_at), code
    else:
        yield command.service_id, None, outcome.code


def registration_step(state: Hashable, operation: Operation) -> Hashable:
    """The model of one id: None, ("live", generation, renewed at) or ("gone",)."""
    kind = state[0] if isinstance(state, tuple) else None
    generation, renewed_at = state[1:] if isinstance(state, tuple) else (None, None)
    if operation.op == "read":
        shown = generation if kind == "live" else None
        return state if operation.result == shown else IMPOSSIBLE
    assert isinstance(operation.result, tuple)
    op, code, position = operation.result
    live = ("live", position, position)
    after: Hashable = IMPOSSIBLE
    match op, code, kind:
        case ("Register", Code.OK, _) | ("Renew", Code.REVIVED, "gone"):
            after = live
        case "Renew", Code.OK, "live":
            after = ("live", generation, position)
        case "Deregister", Code.OK, "live" | "gone":
            after = None
        case (("Renew" | "Deregister"), Code.UNKNOWN_SERVICE_ID, None):
            after = state
        case "Expire", Code.UNKNOWN_SERVICE_ID, None | "gone":
            after = state
        case "Expire", _, "live":
            assert isinstance(operation.argument, tuple)
            if code is _expected_expiry(operation.argument, generation, renewed_at):
                after = ("gone", None, None) if code is Code.OK else state
    return after


def _expected_expiry(
    seen: tuple[int, int], generation: int | None, renewed_at: int | None
) -> Code:
    if seen[0] != generation:
        return Code.STALE_GENERATION
    if renewed_at is not None and renewed_at > seen[1]:
        return Code.RENEWED_SINCE
    return Code.OK


def catalog_of(node: SimNode) -> SimCatalog:
    """Return the catalog of the node's present life."""
    return inner_of(node.machine, SimCatalog)
