"""A bed without a cluster: it knows who is harmed, and how many are ever at once."""

from collections.abc import Collection
from pathlib import Path

from tests.chaos.bed import Bed
from tests.chaos.evidence import Recorder
from tests.chaos.recorded import Recorded

ALL_VERBS = frozenset(
    name
    for name, value in vars(Bed).items()
    if callable(value)
    and not name.startswith("_")
    and name not in ("url", "leader", "wait_ready")
)


class FakeBed:
    """Verbs become lines in ``done``; the first that is well leads."""

    name = "fake"
    service_host = "127.0.0.1"

    def __init__(self, size: int = 3, verbs: Collection[str] = ALL_VERBS) -> None:
        self.node_ids = tuple("abcde"[:size])
        self.verbs = frozenset(verbs)
        self.done: list[tuple[str, str]] = []
        self.down: set[str] = set()
        self.is_lost = False
        """Whether it is never ready again."""

    def url(self, node_id: str) -> str:
        """See Bed."""
        return f"http://{node_id}"

    def leader(self) -> str | None:
        """See Bed."""
        return next((n for n in self.node_ids if n not in self.down), None)

    def wait_ready(self, *, deadline_s: float = 60.0) -> None:
        """See Bed."""
        assert not self.is_lost, f"a ready cluster did not come within {deadline_s} s"
        assert not self.down, f"{self.down} are down"
        self.done.append(("wait_ready", ""))

    def kill(self, node_id: str) -> None:
        """See Bed."""
        self._do("kill", node_id)
        self.down.add(node_id)

    def stop(self, node_id: str) -> None:
        """See Bed."""
        self._do("stop", node_id)
        self.down.add(node_id)

    def start(self, node_id: str) -> None:
        """See Bed."""
        self._do("start", node_id)
        self.down.discard(node_id)

    def power_cut(self, node_id: str) -> None:
        """See Bed."""
        self._do("power_cut", node_id)
        self.down.add(node_id)

    def wipe(self, node_id: str) -> None:
        """See Bed."""
        assert node_id in self.down
        self._do("wipe", node_id)

    def pause(self, node_id: str) -> None:
        """See Bed."""
        self._do("pause", node_id)

    def resume(self, node_id: str) -> None:
        """See Bed."""
        self._do("resume", node_id)

    def starve(self, node_id: str) -> None:
        """See Bed."""
        self._do("starve", node_id)

    def feed(self, node_id: str) -> None:
        """See Bed."""
        self._do("feed", node_id)

    def partition(
        self,
        node_id: str,
        from_: Collection[str],
        *,
        inbound: bool = True,
        outbound: bool = True,
    ) -> None:
        """See Bed."""
        assert inbound or outbound
        assert node_id not in from_
        self._do("partition", node_id)

    def slow_link(
        self, node_id: str, *, delay_ms: float, jitter_ms: float = 0, loss: float = 0
    ) -> None:
        """See Bed."""
        assert delay_ms >= jitter_ms >= 0
        assert 0 <= loss < 1
        self._do("slow_link", node_id)

    def unplug(self, node_id: str) -> None:
        """See Bed."""
        self._do("unplug", node_id)

    def heal(self) -> None:
        """See Bed."""
        self._do("heal", "")

    def slow_disk(self, node_id: str, *, sync_ms: float) -> None:
        """See Bed."""
        self._do("slow_disk", node_id)

    def break_disk(self, node_id: str) -> None:
        """See Bed."""
        self._do("break_disk", node_id)

    def fill_disk(self, node_id: str) -> None:
        """See Bed."""
        self._do("fill_disk", node_id)

    def mend_disk(self, node_id: str) -> None:
        """See Bed."""
        self._do("mend_disk", node_id)

    def step_clock(self, node_id: str, *, seconds: float) -> None:
        """See Bed."""
        self._do("step_clock" if seconds else "step_back", node_id)

    def _do(self, verb: str, node_id: str) -> None:
        assert verb.replace("step_back", "step_clock") in self.verbs, verb
        self.done.append((verb, node_id))


class FakeTime:
    """A clock that waiting moves on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def wait(self, seconds: float) -> None:
        """Let so much time go by."""
        self.now_s += seconds

    def clock(self) -> float:
        """Return the time."""
        return self.now_s


def recorded(bed: FakeBed, folder: Path) -> tuple[Recorded, Recorder]:
    """Return the bed, recorded into a file of that folder."""
    recorder = Recorder(folder / "evidence.jsonl")
    return Recorded(bed, recorder), recorder
