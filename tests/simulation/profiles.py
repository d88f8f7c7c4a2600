"""Kinds of places that a cluster may have to live in, and how one seed draws its own.

Swarm testing: each seed also switches a random part of the faults off. A run with all
of them at once seldom gets far enough to meet the rare combinations.
"""

from dataclasses import dataclass, replace
from random import Random

from cluster.config import KIB, Limits, Timing
from tests.support.sim_network import Weather

Range = tuple[float, float]

KILLS = {"kill": 3.0, "kill_leader": 2.0, "kill_all": 1.0, "crash": 4.0}
POWER = {"power_one": 3.0, "power_all": 2.0, "crash_power": 4.0, "power_leader": 2.0}
PAUSES = {"pause": 3.0, "pause_leader": 2.0}
NETWORK = {"split": 3.0, "isolate_leader": 2.0, "one_way": 3.0, "reset": 3.0}
DISKS = {"stall": 2.0, "disk_error": 1.0, "disk_full": 1.0}
OPERATORS = {"restart": 2.0, "restart_leader": 1.0, "rolling": 0.5, "wipe": 2.0}

UPGRADES = {
    "upgrade": 1.0,
    "upgrade_by_crash": 3.0,
    "old_version": 6.0,
}
TRAPS = {
    "unsynced_leader": 2.0,
    "unsynced_followers": 2.0,
    "forgotten_votes": 2.0,
    "voting_stranger": 2.0,
}

LAN: tuple[Range, ...] = ((0.0002, 0.002), (0.001, 0.01), (0.005, 0.03))
WAN: tuple[Range, ...] = ((0.02, 0.05), (0.03, 0.1), (0.05, 0.15))
FAST_DISK: Range = (0.0002, 0.002)
DISK_SPEEDS: tuple[Range, ...] = (FAST_DISK, (0.002, 0.02), (0.01, 0.06))


@dataclass(frozen=True, slots=True)
class Profile:
    """What the seeds of a profile draw from."""

    latencies_s: tuple[Range, ...] = LAN
    disks_s: tuple[Range, ...] = DISK_SPEEDS
    faults: tuple[dict[str, float], ...] = ()
    slowness: tuple[float, ...] = (1.0,)
    """All of Raft's times are multiplied by it."""
    rough: bool = False
    """Late frames of broken connections, duplicates, spikes."""
    gaps_s: tuple[Range, ...] = ((0.2, 2.0), (0.5, 4.0), (2.0, 8.0))
    """Between one fault and the next."""
    upgrades: bool = False
    """Whether all replicas begin in the old version and end in the new one."""


PROFILES: dict[str, Profile] = {
    "calm": Profile(disks_s=(FAST_DISK,)),
    "lan": Profile(faults=(KILLS, PAUSES, NETWORK, OPERATORS)),
    "wan": Profile(
        latencies_s=WAN,
        faults=(KILLS, POWER, PAUSES, NETWORK, OPERATORS),
        slowness=(4.0, 6.0),
    ),
    "power": Profile(faults=(POWER, POWER, KILLS, PAUSES, NETWORK, TRAPS)),
    "disk": Profile(faults=(DISKS, DISKS, KILLS, POWER, OPERATORS)),
    "rough": Profile(
        faults=(NETWORK, NETWORK, KILLS, POWER, PAUSES),
        slowness=(1.0, 2.0),
        rough=True,
    ),
    "wiped": Profile(faults=(OPERATORS, OPERATORS, KILLS, POWER, NETWORK, TRAPS)),
    "upgrade": Profile(
        faults=(UPGRADES, KILLS, POWER, PAUSES, NETWORK, OPERATORS), upgrades=True
    ),
    # A trap needs a whole cluster to begin with, and time to snap.
    "traps": Profile(faults=(TRAPS,), gaps_s=((4.0, 8.0),)),
}
"""``mixed`` (the default of the runner) draws one of these per seed, never calm."""


@dataclass(frozen=True, slots=True)
class Conditions:
    """What one seed runs under."""

    profile: str
    nodes: int
    seconds: float
    weather: Weather
    disk_s: Range
    faults: dict[str, float]
    fault_gap_s: Range
    timing: Timing
    limits: Limits
    clients: int
    client_gap_s: float
    time_call_costs_s: float
    faults_from_the_start: bool
    upgrades: bool
    settle_s: float
    """Once everything is healed, the cluster must be one again within this time."""
    pause_s: Range = (0.1, 4.0)


def draw(
    profile: str, random: Random, *, nodes: int | None, seconds: float
) -> Conditions:
    """Draw the conditions of one seed."""
    if profile == "mixed":
        profile = random.choice([name for name in PROFILES if name != "calm"])
    place = PROFILES[profile]
    slowness = random.choice(place.slowness)
    disk_s = random.choice(place.disks_s)
    if disk_s[1] > 0.03:  # a sync must fit well into an election timeout
        slowness = max(slowness, 2.0)
    return Conditions(
        profile=profile,
        nodes=nodes or random.choice((1, 3, 3, 3, 3, 5)),
        seconds=seconds,
        weather=_weather(place, random),
        disk_s=disk_s,
        faults=_faults(place, random),
        fault_gap_s=random.choice(place.gaps_s),
        timing=_timing(slowness),
        limits=_limits(random),
        clients=random.choice((2, 4, 8)),
        client_gap_s=random.choice((0.05, 0.15, 0.5)),
        time_call_costs_s=random.choice((0.0, 0.0, 2e-6)),
        faults_from_the_start=random.random() < 0.3,
        upgrades=place.upgrades,
        settle_s=20.0 * slowness,
    )


LEASE_PROFILES = ("lan", "power", "disk", "rough", "wiped", "traps")
"""Not those in which Raft is slower than the leases of a few seconds."""
BLIND = 4.0
LONG_PAUSE_S = 12.0


def draw_for_leases(
    profile: str, random: Random, *, nodes: int | None, seconds: float
) -> Conditions:
    """Draw the conditions of one seed with services: some of them out of sight."""
    if profile == "mixed":
        profile = random.choice(LEASE_PROFILES)
    drawn = draw(profile, random, nodes=nodes, seconds=seconds)
    # A pause may outlast a lease.
    pause_s = random.choice((drawn.pause_s, (0.1, LONG_PAUSE_S)))
    faults = {**drawn.faults, "blind": BLIND} if drawn.faults else {}
    return replace(drawn, pause_s=pause_s, faults=faults, client_gap_s=0.5)


def _weather(place: Profile, random: Random) -> Weather:
    weather = Weather(latency_s=random.choice(place.latencies_s))
    if not place.rough:
        return weather
    return replace(
        weather,
        spike=random.choice((0.0, 0.005)),
        late=random.choice((0.0, 0.5)),
        duplicated=random.choice((0.0, 0.01)),
    )


def _faults(place: Profile, random: Random) -> dict[str, float]:
    weights: dict[str, float] = {}
    for table in place.faults:
        for name, weight in table.items():
            weights[name] = weights.get(name, 0.0) + weight
    kept = {name: w for name, w in weights.items() if random.random() < 0.6}
    return kept or weights


def _timing(slowness: float) -> Timing:
    usual = Timing()
    return Timing(
        append_period_s=usual.append_period_s * slowness,
        election_min_s=usual.election_min_s * slowness,
        election_max_s=usual.election_max_s * slowness,
        leader_fallback_s=usual.leader_fallback_s * slowness,
        tick_s=usual.tick_s,
        keep_alive_s=usual.keep_alive_s * slowness,
        attempt_s=usual.attempt_s * slowness,
    )


def _limits(random: Random) -> Limits:
    """Draw small bounds, so that each is met all the time.

    In the order in which they always were: one draw more gives each seed another life.
    """
    return Limits(
        entry_commands=random.choice((2, 8, 64)),
        entry_bytes=4 * KIB,
        command_bytes=2 * KIB,
        segment_bytes=random.choice((2, 8, 32)) * KIB,
        snapshot_log_max_bytes=(log_bytes := random.choice((4, 16, 64)) * KIB),
        snapshot_log_min_bytes=log_bytes // 4,
        trailing_entries=random.choice((1, 5, 50)),
        disk_low_bytes=64 * KIB,
        reserve_bytes=64 * KIB,
        snapshot_piece_bytes=random.choice((1, 4)) * KIB,
    )
