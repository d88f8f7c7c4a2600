"""What is checked while the simulation runs, at the very event that breaks a promise.

It sees every application on every replica, every answer to a client and every role
that a replica takes, and keeps the one true log: the first replica to apply a position
defines it, and every other one must agree, entry, outcome and state.
"""

import hashlib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from cluster.status import Applied, Role, Status
from tests.simulation.timeline import Timeline
from tests.simulation.versions import OLD, UPGRADE_FIRST


@dataclass(frozen=True, slots=True)
class Applying:
    """One command's place in the true log."""

    command: bytes
    outcome: bytes | None
    """None: the handler raised; what the cluster makes of that is its business."""


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """A write that a client was told is done."""

    position: int
    command: bytes
    node_id: str
    at_s: float


class Judge:
    """The invariants that can be checked at once. ``stop`` ends the run."""

    def __init__(self, timeline: Timeline, stop: Callable[[], None]) -> None:
        self.timeline = timeline
        self.violation: str | None = None
        self.log: dict[int, Applying] = {}
        self.acknowledged: list[Acknowledged] = []
        self.refused: set[bytes] = set()
        self.counts: Counter[str] = Counter()
        self.highest_acknowledged = 0
        self.newest_schema = OLD
        """What some replica has shown that all members agreed on."""
        self.compares_lives = True
        """False for a replica that cannot tell whether it is caught up."""
        self._stop = stop
        self._position_of: dict[bytes, int] = {}
        self._state_at: dict[int, bytes] = {}
        self._content_at: dict[int, bytes] = {}
        self._leaders: dict[int, str] = {}
        self._seen: dict[str, tuple[int, Status]] = {}
        self._shown: dict[str, int] = {}
        """By host: the highest index that it has shown since its disk was empty."""
        self._schema_spans: dict[int, tuple[int, int]] = {}
        self._digest = hashlib.sha256()

    # -- the watcher of nodes

    def say(self, text: str) -> None:
        """Note an event in the timeline and the trace."""
        self.timeline.say(text)
        self.trace(text.encode())

    def violated(self, text: str) -> None:
        """A promise was broken; the first one counts."""
        if self.violation is None:
            self.violation = text
            self.say(f"VIOLATION {text}")
            self._stop()

    def ended(self, node_id: str, schema: int, reason: str) -> None:
        """A replica ended itself: it may if all others have left its version behind."""
        if schema < self.newest_schema and UPGRADE_FIRST in reason:
            self.counts["old versions stopped"] += 1
        else:
            self.violated(f"{node_id}: fatal: {reason}")

    def trace(self, data: bytes) -> None:
        """Make ``data`` part of the run's fingerprint."""
        self._digest.update(f"{self.timeline.now_s():.9f}".encode())
        self._digest.update(data)

    def digest(self) -> str:
        """Return the fingerprint of everything that was traced."""
        return self._digest.hexdigest()[:16]

    # -- replicas

    def on_apply(
        self, node_id: str, position: int, command: bytes, outcome: bytes | None
    ) -> None:
        """A replica applied a command: all agree, and no command comes twice."""
        self.trace(b"%s %d " % (node_id.encode(), position) + command)
        self.counts["applications"] += 1
        known = self.log.get(position)
        if known is None:
            self.log[position] = Applying(command, outcome)
            first = self._position_of.setdefault(command, position)
            if first != position:
                self.violated(
                    f"applied twice: {shown(command)} at {place(first)} and "
                    f"{place(position)} (on {node_id})"
                )
        elif known.command != command:
            self.violated(
                f"logs differ at {place(position)}: {node_id} applies "
                f"{shown(command)}, another applied {shown(known.command)}"
            )
        elif known.outcome != outcome:
            self.violated(
                f"outcomes differ at {place(position)}: {shown(outcome)} on {node_id}, "
                f"{shown(known.outcome)} elsewhere"
            )

    def on_state(self, node_id: str, position: int, fingerprint: bytes) -> None:
        """A replica has the state of ``position``: the same everywhere."""
        known = self._state_at.setdefault(position, fingerprint)
        if known != fingerprint:
            self.violated(f"states differ at {place(position)}, seen on {node_id}")

    def on_content(self, node_id: str, position: int, state: object) -> None:
        """Compare a whole state (not what the machine says of it) at ``position``."""
        content = hashlib.blake2b(repr(state).encode(), digest_size=16).digest()
        known = self._content_at.setdefault(position, content)
        if known != content:
            self.violated(f"contents differ at {place(position)}, seen on {node_id}")

    def on_status(self, life: int, status: Status) -> None:
        """Check one life's index and readiness, and that a term has one leader."""
        name = status.node_id
        life_seen, seen = self._seen.get(name, (0, status))
        before = seen if life_seen == life else None
        self._seen[name] = (life, status)
        self._check_leadership(before, status)
        if before is not None:
            self._check_progress(before, status)
        if status.caught_up and (before is None or not before.caught_up):
            self._check_former_lives(status)
        self._shown[name] = max(self._shown.get(name, 0), status.applied_index)

    def _check_leadership(self, before: Status | None, now: Status) -> None:
        if before is not None and (before.role, before.term) == (now.role, now.term):
            return
        if now.role is not Role.LEADER:
            return
        self.counts["leaderships"] += 1
        self.say(
            f"{now.node_id} leads term {now.term} (log to {now.last_index}, "
            f"committed {now.commit_index})"
        )
        leader = self._leaders.setdefault(now.term, now.node_id)
        if leader != now.node_id:
            self.violated(f"two leaders in term {now.term}: {leader} and {now.node_id}")

    def _check_former_lives(self, now: Status) -> None:
        """Who says that it is caught up is not behind what its host showed (I7)."""
        shown = self._shown.get(now.node_id, 0)
        if self.compares_lives and now.applied_index < shown:
            self.violated(
                f"{now.node_id} is caught up at {now.applied_index}, but showed "
                f"{shown} in a former life"
            )

    def on_wiped(self, node_id: str) -> None:
        """A host has an empty disk: it cannot know what it showed."""
        self._shown.pop(node_id, None)

    def on_schema(
        self, node_id: str, index: int, schema: int, *, oldest_version: int
    ) -> None:
        """What all members agree on depends on the index alone, and never goes back.

        When it is raised, the oldest version that any host runs understands it.
        """
        lowest, highest = self._schema_spans.get(schema, (index, index))
        self._schema_spans[schema] = min(lowest, index), max(highest, index)
        if schema > self.newest_schema:
            self.newest_schema = schema
            if oldest_version < schema:
                self.violated(f"the schema is raised to {schema}, not all know it")
            self.say(f"{node_id} raises the schema to {schema} by {index}")
        for other, (lowest, highest) in self._schema_spans.items():
            if (other < schema and highest >= index) or (
                other > schema and lowest <= index
            ):
                self.violated(
                    f"{node_id} has schema {schema} at {index}, but {other} was seen "
                    f"from {lowest} to {highest}"
                )

    def _check_progress(self, before: Status, now: Status) -> None:
        if now.applied_index < before.applied_index:
            self.violated(
                f"{now.node_id} goes back from {before.applied_index} to "
                f"{now.applied_index}"
            )
        if before.caught_up and not now.caught_up:
            self.violated(f"{now.node_id} is no longer caught up")
        if now.term < before.term:
            self.violated(f"{now.node_id} goes back to term {now.term}")

    # -- clients

    def on_acknowledged(self, node_id: str, command: bytes, applied: Applied) -> None:
        """A client was told ``applied``: the log must hold the command there."""
        self.counts["acknowledged"] += 1
        self.trace(b"ack %d" % applied.position)
        self.highest_acknowledged = max(self.highest_acknowledged, applied.index)
        self.acknowledged.append(
            Acknowledged(applied.position, command, node_id, self.timeline.now_s())
        )
        known = self.log.get(applied.position)
        if known is None or known.command != command:
            found = "nothing" if known is None else shown(known.command)
            self.violated(
                f"{node_id} acknowledged {shown(command)} at "
                f"{place(applied.position)}, where there is {found}"
            )
        elif known.outcome not in (None, applied.outcome):
            self.violated(f"{node_id} made up the outcome at {place(applied.position)}")

    def on_written(self, status: Status, index: int) -> None:
        """A replica answers its own write at ``index``: it must have applied it.

        It need not know yet that it is caught up: what it proposed since its start lies
        behind all that was acknowledged before it.
        """
        if status.applied_index < index:
            self.violated(
                f"{status.node_id} answers for {index}, being at {status.applied_index}"
            )

    def on_read(self, status: Status, index: int) -> None:
        """A replica answers for ``index``: it must be there, and know that it is."""
        self.on_written(status, index)
        if not status.caught_up:
            self.violated(f"{status.node_id} answers before it is caught up")

    def on_refused(self, command: bytes, error: str) -> None:
        """A client was told that ``command`` is certainly not in the log."""
        self.counts[f"refused:{error}"] += 1
        self.refused.add(command)

    def position_of(self, command: bytes) -> int | None:
        """Return where ``command`` was applied, if it was."""
        return self._position_of.get(command)


def place(position: int) -> str:
    """Render a position for people: index and place in the entry."""
    return f"{position >> 8}.{position & 255}"


def shown(data: bytes | None) -> str:
    """Render a command or outcome for people: its beginning says enough."""
    return repr(data)[:70]
