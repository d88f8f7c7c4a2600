"""What can befall a cluster: a table of harms to one replica, and one of episodes.

An episode does harm and lets it last; `Recorded.put_right` is what ends it. Each harm
befalls the leader in one episode and a follower in another; those that befall several
stand below the harms.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from random import Random

from tests.chaos.recorded import Recorded

HOUR_S = 3_600.0
LONG_DEATH_S = 600.0
LAST_S = (1.5, 5.0)
"""How long harm lasts: an election is over in one second."""


@dataclass(frozen=True, slots=True)
class Scene:
    """Where an episode takes place, and its chance."""

    bed: Recorded
    random: Random
    ttl_s: float
    wait: Callable[[float], object]

    def last(self, at_least_s: float = 0.0) -> None:
        """Let things be as they are for a while."""
        self.wait(max(at_least_s, self.random.uniform(*LAST_S)))

    def leader(self) -> str:
        """Return who leads; anyone, if nobody is agreed on."""
        drawn = self.random.choice(self.bed.node_ids)
        return self.bed.leader() or drawn

    def follower(self) -> str:
        """Return one that does not lead."""
        number = self.random.random()
        others = self.others(self.leader())
        return others[int(number * len(others))]

    def others(self, but: str) -> list[str]:
        """Return all replicas but this one."""
        return [node_id for node_id in self.bed.node_ids if node_id != but]

    def some(self, count: int) -> list[str]:
        """Draw so many replicas."""
        return self.random.sample(self.bed.node_ids, count)


Act = Callable[[Scene], None]


@dataclass(frozen=True, slots=True)
class Harm:
    """What befalls one replica."""

    name: str
    verbs: frozenset[str]
    do: Callable[[Scene, str], None]
    ttls: float = 0.0
    """Lasts for so many times to live, at least."""


@dataclass(frozen=True, slots=True)
class Episode:
    """Harm that lasts; all that it needs, and how often it comes in a round."""

    name: str
    verbs: frozenset[str]
    act: Act
    size: int = 3
    """Of the cluster, at least."""
    times: int = 1
    is_long: bool = False


def _cut_off(scene: Scene, node_id: str) -> None:
    scene.bed.partition(node_id, scene.others(node_id))


def _cut_in(scene: Scene, node_id: str) -> None:
    scene.bed.partition(node_id, scene.others(node_id), outbound=False)


def _cut_out(scene: Scene, node_id: str) -> None:
    scene.bed.partition(node_id, scene.others(node_id), inbound=False)


def _slow_links(scene: Scene, node_id: str) -> None:
    delay_ms = scene.random.uniform(20.0, 200.0)
    scene.bed.slow_link(node_id, delay_ms=delay_ms, jitter_ms=delay_ms / 4)


def _lossy_links(scene: Scene, node_id: str) -> None:
    loss = scene.random.uniform(0.05, 0.3)
    scene.bed.slow_link(node_id, delay_ms=2.0, jitter_ms=1.0, loss=loss)


def _slow_disk(scene: Scene, node_id: str) -> None:
    scene.bed.slow_disk(node_id, sync_ms=scene.random.uniform(20.0, 300.0))


def _wiped_disk(scene: Scene, node_id: str) -> None:
    scene.bed.kill(node_id)
    scene.bed.wipe(node_id)


def _clock_step(scene: Scene, node_id: str, *, sign: int) -> None:
    scene.bed.step_clock(node_id, seconds=sign * scene.random.uniform(1, 12) * HOUR_S)


def _verbs(*names: str) -> frozenset[str]:
    return frozenset(names)


HARMS = (
    Harm("kill", _verbs("kill", "start"), lambda s, n: s.bed.kill(n)),
    Harm("stop", _verbs("stop", "start"), lambda s, n: s.bed.stop(n)),
    Harm("pause", _verbs("pause", "resume"), lambda s, n: s.bed.pause(n), ttls=2.0),
    Harm("cut off", _verbs("partition", "heal"), _cut_off),
    Harm("cut off inbound", _verbs("partition", "heal"), _cut_in),
    Harm("cut off outbound", _verbs("partition", "heal"), _cut_out),
    Harm("slow links", _verbs("slow_link", "heal"), _slow_links),
    Harm("lossy links", _verbs("slow_link", "heal"), _lossy_links),
    Harm("unplug", _verbs("unplug", "heal"), lambda s, n: s.bed.unplug(n)),
    Harm("starve", _verbs("starve", "feed"), lambda s, n: s.bed.starve(n)),
    Harm("power cut", _verbs("power_cut", "start"), lambda s, n: s.bed.power_cut(n)),
    Harm("slow disk", _verbs("slow_disk", "mend_disk"), _slow_disk),
    Harm(
        "broken disk",
        _verbs("break_disk", "mend_disk", "start"),
        lambda s, n: s.bed.break_disk(n),
    ),
    Harm(
        "full disk",
        _verbs("fill_disk", "mend_disk", "start"),
        lambda s, n: s.bed.fill_disk(n),
    ),
    Harm("wiped disk", _verbs("kill", "wipe", "start"), _wiped_disk),
    Harm("clock ahead", _verbs("step_clock"), partial(_clock_step, sign=1)),
    Harm("clock behind", _verbs("step_clock"), partial(_clock_step, sign=-1)),
)
"""What can befall one replica while the others are well."""


def _on(harm: Harm, whom: Callable[[Scene], str]) -> Act:
    def act(scene: Scene) -> None:
        harm.do(scene, whom(scene))
        scene.last(harm.ttls * scene.ttl_s)

    return act


def _kill(scene: Scene, count: int) -> None:
    killed = scene.some(count)
    for node_id in killed:
        scene.bed.kill(node_id)
    scene.last()
    if scene.random.random() < 0.5:  # one comes back before the others
        scene.bed.start(killed[0])
        scene.last()


def _kill_majority(scene: Scene) -> None:
    _kill(scene, scene.bed.minority + 1)


def _kill_all(scene: Scene) -> None:
    _kill(scene, len(scene.bed.node_ids))


def _majority_stays_dead(scene: Scene) -> None:
    for node_id in scene.some(scene.bed.minority + 1):
        scene.bed.kill(node_id)
    scene.last(LONG_DEATH_S)


def _cut_power_of_all(scene: Scene) -> None:
    for node_id in scene.some(len(scene.bed.node_ids)):
        scene.bed.power_cut(node_id)
    scene.last()


def _everybody_alone(scene: Scene) -> None:
    for node_id in scene.bed.node_ids[:-1]:
        scene.bed.partition(node_id, scene.others(node_id))
    scene.last()


def _bridge(scene: Scene) -> None:
    """Two halves that only the one in the middle hears."""
    drawn = scene.some(len(scene.bed.node_ids))
    half = len(drawn) // 2
    for node_id in drawn[:half]:
        scene.bed.partition(node_id, drawn[half + 1 :])
    scene.last()


def _rolling_restart(scene: Scene) -> None:
    for node_id in scene.some(len(scene.bed.node_ids)):
        scene.bed.stop(node_id)
        scene.bed.start(node_id)
        scene.bed.wait_ready()


def _two_at_once(scene: Scene) -> None:
    """Two harms, on no more replicas than a cluster can spare."""
    able = [harm for harm in HARMS if harm.verbs <= scene.bed.verbs]
    victims = scene.some(scene.bed.minority)
    if scene.random.random() < 0.5:
        leader = scene.leader()
        victims = [leader, *(n for n in victims if n != leader)][: len(victims)]
    harms = scene.random.sample(able, min(2, len(able)))
    for number, harm in enumerate(harms):
        harm.do(scene, victims[number % len(victims)])
    scene.last(max(harm.ttls for harm in harms) * scene.ttl_s)


OFTEN = {"the leader: kill": 3, "the leader: cut off": 2}
EPISODES = (
    *(
        Episode(name, harm.verbs, _on(harm, whom), times=OFTEN.get(name, 1))
        for harm in HARMS
        for name, whom in (
            (f"the leader: {harm.name}", Scene.leader),
            (f"a follower: {harm.name}", Scene.follower),
        )
    ),
    Episode("a majority: kill", _verbs("kill", "start"), _kill_majority),
    Episode("all: kill", _verbs("kill", "start"), _kill_all),
    Episode("all: power cut", _verbs("power_cut", "start"), _cut_power_of_all),
    Episode("all: cut off", _verbs("partition", "heal"), _everybody_alone),
    Episode("bridge", _verbs("partition", "heal"), _bridge, size=5),
    Episode("rolling restart", _verbs("stop", "start"), _rolling_restart),
    Episode("two at once", _verbs("kill", "start"), _two_at_once, times=2),
    Episode(
        "a majority: dead for long",
        _verbs("kill", "start"),
        _majority_stays_dead,
        is_long=True,
    ),
)
