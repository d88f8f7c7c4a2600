"""A bed whose faults become evidence, and that knows how to put all of them right.

What each fault needs to be over stands in one table, so whoever does harm need not care
for its end: `put_right` undoes whatever was done since, in an order that works.
"""

import time
from collections.abc import Callable, Collection

from tests.chaos.bed import Bed, BedFailed
from tests.chaos.evidence import Fault, Recorder
from tests.chaos.links import Links

REMEDIES: dict[str, tuple[str, ...]] = {
    "kill": ("start",),
    "stop": ("start",),
    "power_cut": ("start",),
    "wipe": ("start",),
    "pause": ("resume",),
    "starve": ("feed",),
    "partition": ("heal",),
    "slow_link": ("heal",),
    "unplug": ("heal",),
    "slow_disk": ("mend_disk",),
    "break_disk": ("mend_disk", "start"),
    "fill_disk": ("mend_disk", "start"),
    "step_clock": ("step_clock",),
}
"""The verbs that end a fault; a broken or full disk may have ended the process."""
MAY_END = frozenset(("break_disk", "fill_disk"))
HEALED = frozenset(verb for verb, ends in REMEDIES.items() if "heal" in ends)
READY_S = 60.0


class NeverReady(Exception):
    """All was put right, and the cluster did not come back in time: a finding."""


class Recorded:
    """Does what `Bed` says, and writes each verb down.

    A fault is over once its replica is ready again. So a verb that ends one is written
    by the next `wait_ready`, from when it was called to when all were ready.
    """

    def __init__(self, bed: Bed, recorder: Recorder) -> None:
        self._bed = bed
        self._recorder = recorder
        self.name = bed.name
        self.node_ids = bed.node_ids
        self.verbs = bed.verbs
        self.service_host = bed.service_host
        self.episode = ""
        """Told in the detail of each fault."""
        self.down: set[str] = set()
        self._links = Links(bed.node_ids)
        self._wiped: set[str] = set()
        self._harmed: dict[str, set[str]] = {n: set() for n in bed.node_ids}
        self._ending: list[tuple[str, tuple[str, ...], float]] = []

    @property
    def touched(self) -> frozenset[str]:
        """The replicas on which there is a fault, or was since all were ready."""
        ending = {node_id for _, targets, _ in self._ending for node_id in targets}
        return frozenset(n for n, verbs in self._harmed.items() if verbs) | ending

    @property
    def minority(self) -> int:
        """How many may be lost."""
        return (len(self.node_ids) - 1) // 2

    def url(self, node_id: str) -> str:
        """Return where its HTTP answers."""
        return self._bed.url(node_id)

    def leader(self) -> str | None:
        """Return whom those that answer agree on."""
        return self._bed.leader()

    def wait_ready(self, *, deadline_s: float = READY_S) -> None:
        """Wait until all are ready; then what was put right is over.

        Raises:
            NeverReady: that did not come to be in time.
        """
        try:
            self._bed.wait_ready(deadline_s=deadline_s)
        except (BedFailed, AssertionError) as error:  # or of `wait_until`
            raise NeverReady(str(error)) from error
        done_s = time.monotonic()
        for verb, targets, began_s in self._ending:
            self._recorder.add(
                Fault(verb, targets, began_s, done_s, self.episode, is_over=True)
            )
        self._ending.clear()
        if not self.touched:
            self._wiped.clear()

    def put_right(self, *, deadline_s: float = READY_S) -> None:
        """End every fault, and wait until all are ready."""
        harmed = {n: frozenset(verbs) for n, verbs in self._harmed.items()}
        needs = {n: {r for v in vs for r in REMEDIES[v]} for n, vs in harmed.items()}
        if any("heal" in remedies for remedies in needs.values()):
            self.heal()
        remedies: dict[str, Callable[[str], None]] = {
            "resume": self.resume,
            "feed": self.feed,
            "mend_disk": self.mend_disk,
            "step_clock": lambda node_id: self.step_clock(node_id, seconds=0.0),
            "start": self.start,
        }
        for name, remedy in remedies.items():
            for node_id in self.node_ids:
                if name in needs[node_id]:
                    remedy(node_id)
        doubtful = [n for n, verbs in harmed.items() if verbs & MAY_END]
        try:
            self.wait_ready(deadline_s=deadline_s)
        except NeverReady:
            if not doubtful:
                raise
            for node_id in doubtful:  # it was about to end when it was started
                self.start(node_id)
            self.wait_ready(deadline_s=deadline_s)

    # -- faults

    def kill(self, node_id: str) -> None:
        """SIGKILL."""
        self._harm("kill", (node_id,), lambda: self._bed.kill(node_id))
        self.down.add(node_id)

    def stop(self, node_id: str) -> None:
        """SIGTERM."""
        self._harm("stop", (node_id,), lambda: self._bed.stop(node_id))
        self.down.add(node_id)

    def power_cut(self, node_id: str) -> None:
        """Kill it, and forget all that it had not synced."""
        self._harm("power_cut", (node_id,), lambda: self._bed.power_cut(node_id))
        self.down.add(node_id)

    def wipe(self, node_id: str) -> None:
        """Empty the data of a replica that is down; never more than a minority's."""
        wiped = self._wiped | {node_id}
        if len(wiped) > self.minority:
            raise ValueError(f"to wipe {sorted(wiped)} breaks what the cluster needs")
        self._harm("wipe", (node_id,), lambda: self._bed.wipe(node_id))
        self._wiped = wiped

    def pause(self, node_id: str) -> None:
        """Not scheduled any more."""
        self._harm("pause", (node_id,), lambda: self._bed.pause(node_id))

    def starve(self, node_id: str) -> None:
        """Give it a small part of a processor."""
        self._harm("starve", (node_id,), lambda: self._bed.starve(node_id))

    def partition(
        self,
        node_id: str,
        from_: Collection[str],
        *,
        inbound: bool = True,
        outbound: bool = True,
    ) -> None:
        """Lose what travels between it and those, silently."""
        self._links.cut(node_id, from_, inbound=inbound, outbound=outbound)
        ways = {(True, False): ", inbound", (False, True): ", outbound"}
        self._harm(
            "partition",
            self._links.touched() or (node_id,),
            lambda: self._bed.partition(
                node_id, from_, inbound=inbound, outbound=outbound
            ),
            f"{node_id} from {' '.join(from_)}{ways.get((inbound, outbound), '')}",
        )

    def slow_link(
        self, node_id: str, *, delay_ms: float, jitter_ms: float = 0, loss: float = 0
    ) -> None:
        """Delay what it sends, and lose a part of it."""
        self._harm(
            "slow_link",
            (node_id,),
            lambda: self._bed.slow_link(
                node_id, delay_ms=delay_ms, jitter_ms=jitter_ms, loss=loss
            ),
            f"{delay_ms:.0f}±{jitter_ms:.0f} ms, {loss:.0%} lost",
        )

    def unplug(self, node_id: str) -> None:
        """Take its interface away."""
        self._harm("unplug", (node_id,), lambda: self._bed.unplug(node_id))

    def slow_disk(self, node_id: str, *, sync_ms: float) -> None:
        """Let each sync take so long."""
        self._harm(
            "slow_disk",
            (node_id,),
            lambda: self._bed.slow_disk(node_id, sync_ms=sync_ms),
            f"{sync_ms:.0f} ms",
        )

    def break_disk(self, node_id: str) -> None:
        """Fail its next write or sync."""
        self._harm("break_disk", (node_id,), lambda: self._bed.break_disk(node_id))

    def fill_disk(self, node_id: str) -> None:
        """Leave no room."""
        self._harm("fill_disk", (node_id,), lambda: self._bed.fill_disk(node_id))

    def step_clock(self, node_id: str, *, seconds: float) -> None:
        """Set its wall clock off; no seconds: set it right again."""

        def step() -> None:
            self._bed.step_clock(node_id, seconds=seconds)

        if seconds:
            hours = f"{seconds / 3600:+.1f} h"
            self._harm("step_clock", (node_id,), step, hours)
        else:
            self._end("step_clock", (node_id,), step)

    # -- their ends

    def start(self, node_id: str) -> None:
        """Start what is down; over when it is ready."""
        self._end("start", (node_id,), lambda: self._bed.start(node_id))
        self.down.discard(node_id)

    def resume(self, node_id: str) -> None:
        """Go on where it was."""
        self._end("resume", (node_id,), lambda: self._bed.resume(node_id))

    def feed(self, node_id: str) -> None:
        """Give it what it wants again."""
        self._end("feed", (node_id,), lambda: self._bed.feed(node_id))

    def heal(self) -> None:
        """Undo every `partition`, `slow_link` and `unplug`."""
        targets = tuple(n for n, verbs in self._harmed.items() if verbs & HEALED)
        self._end("heal", targets, self._bed.heal)
        self._links.heal()

    def mend_disk(self, node_id: str) -> None:
        """Undo what was done to its disk."""
        self._end("mend_disk", (node_id,), lambda: self._bed.mend_disk(node_id))

    def _harm(
        self,
        verb: str,
        targets: tuple[str, ...],
        do: Callable[[], None],
        detail: str = "",
    ) -> None:
        for node_id in targets:  # also if it fails half way
            self._harmed[node_id].add(verb)
        began_s = time.monotonic()
        do()
        told = ": ".join(filter(None, (self.episode, detail)))
        self._recorder.add(Fault(verb, targets, began_s, time.monotonic(), told))

    def _end(self, verb: str, targets: tuple[str, ...], do: Callable[[], None]) -> None:
        began_s = time.monotonic()
        do()
        if targets:
            self._ending.append((verb, targets, began_s))
        for node_id in targets:
            harmed = self._harmed[node_id]
            harmed -= {v for v in harmed if REMEDIES[v][-1] == verb}
