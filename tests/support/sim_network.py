"""The simulated network: who can reach whom, how late, and what a break loses.

Like TCP: a frame in a cut connection waits until the cut heals or the connection is
reset. What a killed process had sent still arrives; what a powerless one had sent
may not, and nobody is told that it is gone. Directions are cut one by one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tests.support.sim_loop import SimLoop

if TYPE_CHECKING:
    from tests.support.sim_links import SimLinks

CUT_POLL_S = 0.05
"""How often what waits in a cut looks whether it has healed (TCP retransmits)."""


@dataclass(frozen=True, slots=True)
class Weather:
    """How the network behaves when nobody cuts it."""

    latency_s: tuple[float, float] = (0.0002, 0.002)
    spike: float = 0.0
    """The share of frames that come ``spike_s`` later, with all those behind them."""
    spike_s: tuple[float, float] = (0.05, 0.5)
    late: float = 0.0
    """The share of broken connections whose last frames still arrive, up to 1 s on."""
    duplicated: float = 0.0
    """The share of frames that arrive a second time, a little later."""


class SimNetwork:
    """All connections of a cluster, and the faults between its nodes."""

    def __init__(self, sim: SimLoop, random: Random, weather: Weather) -> None:
        self.sim = sim
        self.random = random
        self.weather = weather
        self.listening: dict[str, SimLinks] = {}
        self.frames = 0
        self.on_arrival: Callable[[str, str, bytes], None] | None = None
        self.on_dishonest: Callable[[str, str, str], None] | None = None
        self._cut: set[tuple[str, str]] = set()
        self._blind: set[str] = set()

    def cut(self, source: str, target: str) -> None:
        """Let nothing pass from ``source`` to ``target``."""
        self._cut.add((source, target))

    def heal(self, source: str, target: str) -> None:
        """Let frames pass again, those that waited first."""
        self._cut.discard((source, target))

    def heal_all(self) -> None:
        """Mend everything."""
        self._cut.clear()
        self._blind.clear()

    def blind(self, node_id: str) -> None:
        """Cut a node's way to everything that is no member of the cluster."""
        self._blind.add(node_id)

    def unblind(self, node_id: str) -> None:
        """Mend that way."""
        self._blind.discard(node_id)

    def is_blind(self, node_id: str) -> bool:
        """Return whether the node reaches members alone."""
        return node_id in self._blind

    def is_cut(self, source: str, target: str) -> bool:
        """Return whether nothing passes from ``source`` to ``target``."""
        return (source, target) in self._cut

    def reset(self, one: str, other: str) -> None:
        """Break the connections between two nodes; both notice."""
        for name, peer in ((one, other), (other, one)):
            links = self.listening.get(name)
            if links is not None:
                links.break_outgoing(peer)

    def delay_s(self) -> float:
        """Draw how long the next thing takes from one node to another."""
        delay_s = self.random.uniform(*self.weather.latency_s)
        if self.weather.spike and self.random.random() < self.weather.spike:
            delay_s += self.random.uniform(*self.weather.spike_s)
        return delay_s

    def carry(self, source: str, target: str, arrive: Callable[[], object]) -> None:
        """Call ``arrive`` (on the simulation's loop) once a packet got across."""
        self.sim.call_later(self.delay_s(), self._arrive, source, target, arrive)

    def _arrive(self, source: str, target: str, arrive: Callable[[], object]) -> None:
        if self.is_cut(source, target):
            self.sim.call_later(CUT_POLL_S, self._arrive, source, target, arrive)
        else:
            arrive()
