"""The first workload: appends to lists, and reads of them, through log and barrier."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from itertools import count

import msgspec

from tests.simulation.clients import Answered, Ask, Caller
from tests.simulation.judge import place
from tests.simulation.list_machine import ListCommand, ListMachine, list_step
from tests.simulation.verdict import check_history
from tests.simulation.watched_machine import inner_of
from tests.support.history import History, Operation
from tests.support.sim_node import SimNode

KEYS = 3
KEY_LIVES_S = 4.0
"""Keys change over time, so that no list grows too long for the checker."""
BURST_KEYS = 8


class ListWorkload:
    """Implements ``Workload`` over ``ListMachine``."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller
        self._values = count(1)
        self._history = History()
        self._unanswered: list[tuple[Operation, bytes]] = []

    @property
    def kinds(self) -> Mapping[Ask, float]:
        """See Workload."""
        return {
            self._append: 6.0,
            self._log_read: 1.0,
            self._read: 2.0,
            self._burst: 0.5,
            self._boom: 0.1,
        }

    async def probe(self, node: SimNode) -> bool:
        """See Workload."""
        return await self._propose(node, "append", self._key())

    @property
    def rests(self) -> bool:
        """See Workload."""
        return True

    async def live(self, *, ends_s: float) -> None:
        """Nothing goes on beside the clients."""

    async def calm(self, nodes: list[SimNode]) -> None:
        """All is judged at the end."""

    async def _append(self, node: SimNode) -> None:
        await self._propose(node, "append", self._key())

    async def _log_read(self, node: SimNode) -> None:
        await self._propose(node, "read", self._key())

    async def _boom(self, node: SimNode) -> None:
        await self._propose(node, "boom", "")

    async def _burst(self, node: SimNode) -> None:
        """Many at once, large ones among them: several entries, long frames."""
        random = self._caller.random
        async with asyncio.TaskGroup() as group:
            for number in range(random.choice((5, 20, 80))):
                key = f"{self._key()}-burst{number % BURST_KEYS}"
                padding = bytes(random.choice((0, 100, 1000)))
                group.create_task(self._propose(node, "append", key, padding))

    async def _read(self, node: SimNode) -> None:
        key = self._key()
        read = await self._caller.read(node, lambda: lists_of(node).read(key))
        if read is not None:
            seen, began_s, returned_s = read
            self._history.add(Operation(key, "read", None, seen, began_s, returned_s))

    async def _propose(
        self, node: SimNode, op: str, key: str, padding: bytes = b""
    ) -> bool:
        value = next(self._values)
        command = ListCommand(op, key, value, padding).encode()
        answered = await self._caller.propose(node, command)
        if answered is None:
            return False
        self._note(op, key, value, answered)
        return answered.applied is not None

    def _note(self, op: str, key: str, value: int, answered: Answered) -> None:
        began_s, returned_s = answered.began_s, answered.returned_s
        operation = Operation(key, op, value, None, began_s, returned_s)
        if answered.applied is None:
            self._unanswered.append((operation, answered.command))
        elif op != "boom":
            result = msgspec.msgpack.decode(answered.applied.outcome)
            seen = tuple(result) if op == "read" else result
            self._history.add(replace(operation, result=seen))

    def _key(self) -> str:
        epoch = int(self._caller.now_s() / KEY_LIVES_S)
        return f"k{self._caller.random.randrange(KEYS)}-{epoch}"

    # -- the end

    def check_end(self, nodes: list[SimNode]) -> None:
        """No value lost, none twice, and every list's history linearizable."""
        judge = self._caller.judge
        final = lists_of(nodes[0]).content()
        kept = {value for _, values in final for value in values}
        if sum(len(values) for _, values in final) != len(kept):
            judge.violated("a value is in the final state twice")
        for write in judge.acknowledged:
            asked = ListCommand.decode(write.command)
            if asked.op == "append" and asked.value not in kept:
                judge.violated(
                    f"LOST: value {asked.value} of {asked.key}, acknowledged by "
                    f"{write.node_id} at {write.at_s:.3f} s as {place(write.position)}"
                )
        self._settle_unanswered()
        check_history(self._history, list_step, judge, initial=())

    def _settle_unanswered(self) -> None:
        """Look up in the log what became of the appends that nobody answered.

        Without that the checker would have to try each of them at each later time.
        """
        judge = self._caller.judge
        for operation, command in self._unanswered:
            position = judge.position_of(command)
            if operation.op == "append" and position is not None:
                outcome = judge.log[position].outcome or b""
                result = msgspec.msgpack.decode(outcome)
                self._history.add(replace(operation, result=result))


def lists_of(node: SimNode) -> ListMachine:
    """Return the state machine of the node's present life."""
    return inner_of(node.machine, ListMachine)
