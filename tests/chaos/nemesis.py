"""Lets one episode of faults follow the other, as a seed says, until the time is over.

The plan (which episodes, with which numbers of chance) comes from the seed, the bed's
verbs and its size alone; what it hits depends on who leads when it comes to pass. After
each episode all is put right and everybody is ready: so a finding points at one episode
and no disk is lost before what the last one held has its copies again.
"""

import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from random import Random

from tests.chaos.episodes import EPISODES, Episode, Scene
from tests.chaos.recorded import Recorded

PAUSE_S = (1.0, 3.0)
"""Between two episodes."""
CALM_S = (8.0, 10.0)
"""Now and then instead, and at the end: who died or came back is seen by all by then.
"""
CALM_SHARE = 0.2
LONG_CALM_S = 300.0
LONG_RUN_S = 1_800.0
"""From here on a run begins with the long death of a majority."""


@dataclass(frozen=True, slots=True)
class Step:
    """An episode, the calm before it, and the chance in it."""

    episode: Episode
    pause_s: float
    seed: int


def possible(
    verbs: Collection[str], size: int, *, seconds: float = 0.0
) -> list[Episode]:
    """Return the episodes that a bed with these verbs can do, in the table's order."""
    return [
        episode
        for episode in EPISODES
        if episode.verbs <= set(verbs)
        and episode.size <= size
        and (not episode.is_long or seconds >= LONG_RUN_S)
    ]


def plan(seed: int, episodes: Collection[Episode]) -> Iterator[Step]:
    """Yield steps without end: all episodes in a drawn order, then again in another.

    One that is long comes once, at first.
    """
    random = Random(seed)
    often = [e for e in episodes if not e.is_long for _ in range(e.times)]
    if not often:
        raise ValueError("the bed has no verbs for any episode")
    rounds = [e for e in episodes if e.is_long]
    while True:
        random.shuffle(often)
        for episode in (*rounds, *often):
            is_calm = random.random() < CALM_SHARE
            pause_s = random.uniform(*(CALM_S if is_calm else PAUSE_S))
            yield Step(episode, pause_s, random.getrandbits(32))
        rounds = []


class Nemesis:
    """Does a plan to a bed.

    ``steps`` are done instead of a plan from the seed. ``wait`` and ``clock`` are the
    real ones but in tests.
    """

    def __init__(
        self,
        bed: Recorded,
        *,
        seed: int,
        ttl_s: float,
        steps: Iterable[Step] | None = None,
        wait: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.episode = "calm"
        """What is going on; for whoever watches."""
        self.episodes = 0
        self._bed = bed
        self._seed = seed
        self._ttl_s = ttl_s
        self._steps = steps
        self._wait = wait
        self._clock = clock

    def run(self, seconds: float) -> None:
        """Do one step after the other; the last begins before the time is over.

        A long run ends in a long calm: what a process leaks shows in one life of it.

        Raises:
            NeverReady: the cluster did not come back after an episode.
        """
        began_s = self._clock()
        calm_s = LONG_CALM_S if seconds >= LONG_RUN_S else 0.0
        ends_s = began_s + seconds - calm_s
        for step in self._plan(seconds) if self._steps is None else self._steps:
            self._wait(step.pause_s)
            if self._clock() >= ends_s:
                break
            self._do(step)
        if calm_s:
            self._wait(max(0.0, began_s + seconds - self._clock()))

    def rest(self) -> None:
        """Let things be well for a while: the end of a run is judged as well."""
        self.episode = "healed"
        self._wait(CALM_S[0])

    def _plan(self, seconds: float) -> Iterator[Step]:
        size = len(self._bed.node_ids)
        return plan(self._seed, possible(self._bed.verbs, size, seconds=seconds))

    def _do(self, step: Step) -> None:
        self._bed.episode = self.episode = step.episode.name
        scene = Scene(self._bed, Random(step.seed), self._ttl_s, self._wait)
        step.episode.act(scene)
        self._bed.put_right()
        self._bed.episode, self.episode = "", "calm"
        self.episodes += 1
