"""Are all replicas alike at the end, each term led by one, and did none go back?"""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from tests.chaos.evidence import Ending, Evidence, Look
from tests.chaos.findings import Finding
from tests.chaos.spans import ENDS_PROCESS, by_replica

NAME = "replicas"
LOSES_TERM = frozenset({"wipe", "power_cut", "slow_disk", "break_disk", "fill_disk"})
"""Across these a term may go that was shown and not yet on disk: it bound nobody."""


def check_replicas(evidence: Evidence) -> list[Finding]:
    """Compare replicas with each other, and each with itself."""
    return [*_apart(evidence), *_two_leaders(evidence), *_went_back(evidence)]


def _apart(evidence: Evidence) -> Iterator[Finding]:
    """Find replicas that know something else than the first one, or say nothing."""
    endings = evidence.of(Ending)
    for node_id in sorted(set(evidence.run.nodes) - {e.replica for e in endings}):
        yield Finding(NAME, 0.0, f"{node_id} did not say what it knows at the end")
    for other in endings[1:]:
        first = endings[0]
        for what, here, there in (
            ("lists of", _listed(first), _listed(other)),
            ("changes of", _changes(first), _changes(other)),
        ):
            for service in sorted(here.keys() | there.keys()):
                mine, others = here.get(service, []), there.get(service, [])
                if mine == others:
                    continue
                text = (
                    f"{first.replica} and {other.replica} differ in the {what} "
                    f"{service}: {_difference(mine, others)}"
                )
                yield Finding(NAME, other.at_s, text)


def _listed(ending: Ending) -> dict[str, list[tuple[str, ...]]]:
    """Return its lists, without their order, which changes with the second."""
    return {s: sorted(rows) for s, rows in ending.listed.items()}


def _changes(ending: Ending) -> dict[str, list[tuple[str, ...]]]:
    return {s: list(rows) for s, rows in ending.changes.items()}


def _difference(mine: list[tuple[str, ...]], others: list[tuple[str, ...]]) -> str:
    only_mine = [row for row in mine if row not in others]
    only_others = [row for row in others if row not in mine]
    if not only_mine and not only_others:
        return "their order"
    return f"{only_mine[:3]} against {only_others[:3]}"


def _two_leaders(evidence: Evidence) -> Iterator[Finding]:
    """Find terms of which replicas say that they were led by different ones."""
    leaders: dict[int, str] = {}
    told: set[tuple[int, str]] = set()
    for look in sorted(evidence.of(Look), key=lambda look: look.at_s):
        for leader in _leaders(look):
            first = leaders.setdefault(look.term, leader)
            if first != leader and (look.term, leader) not in told:
                told.add((look.term, leader))
                text = f"term {look.term} had two leaders: {first} and {leader}"
                yield Finding(NAME, look.at_s, f"{text}, says {look.replica}")


def _leaders(look: Look) -> set[str]:
    """Return who leads, as this one says; nobody, if it does not know."""
    own = look.replica if look.role == "leader" else ""
    return {own, look.leader} - {""}


def _went_back(evidence: Evidence) -> Iterator[Finding]:
    """Find a term or an index that went back.

    Before a replica has read its disk it shows no term; and what it applies anew after
    a start begins where its snapshot ends.
    """
    looks: dict[str, list[Look]] = defaultdict(list)
    for look in sorted(evidence.of(Look), key=lambda look: look.at_s):
        if look.term:
            looks[look.replica].append(look)
    new_life = by_replica(evidence, ENDS_PROCESS)
    new_term = by_replica(evidence, LOSES_TERM)
    for replica, its in sorted(looks.items()):
        for former, look in pairwise(its):
            times = (former.at_s, look.at_s)
            if look.term < former.term and not new_term.overlaps(replica, *times):
                text = f"{replica} went back from term {former.term} to {look.term}"
                yield Finding(NAME, look.at_s, text)
            if look.index < former.index and not new_life.overlaps(replica, *times):
                text = f"{replica} went back from index {former.index} to {look.index}"
                yield Finding(NAME, look.at_s, text)
