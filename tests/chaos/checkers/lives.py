"""Who lives stays in the list, who died leaves it, and the end is as it really was."""

from collections import defaultdict
from collections.abc import Iterator

from tests.chaos.checkers.calls import NOT_THERE, ids_of, is_answer, is_permanent, place
from tests.chaos.checkers.departures import HEALTHY, Indexes, seen_to_leave, unexplained
from tests.chaos.checkers.lifetimes import LIVED, Lifetime, lifetimes
from tests.chaos.evidence import REFUSED, Call, Ending, Evidence
from tests.chaos.findings import Finding
from tests.chaos.spans import ENDS_PROCESS, ByReplica, by_replica

NAME = "lives"


def check_lives(evidence: Evidence) -> list[Finding]:
    """Measure lists, histories and ends by what the instances did."""
    new_life = by_replica(evidence, ENDS_PROCESS)
    endings = evidence.of(Ending)
    findings: list[Finding] = []
    for service in LIVED:
        all_lives = lifetimes(evidence, service)
        calls = [c for c in evidence.of(Call) if c.service == service]
        lists = [c for c in calls if is_answer(c, "list")]
        seen = seen_to_leave(lists, evidence.run.nodes)
        indexes = Indexes(lists, evidence.run.nodes)
        findings += _missing(all_lives, lists, new_life)
        findings += _disowned(all_lives, calls)
        findings += _lingering(all_lives, lists)
        for ending in endings:
            texts = unexplained(all_lives, seen, indexes, ending)
            findings += [Finding(NAME, ending.at_s, text) for text in texts]
            findings += _unlike(all_lives, ending)
    for ending in endings:
        findings += _sick(ending)
    return findings


def _missing(
    all_lives: list[Lifetime], lists: list[Call], new_life: ByReplica
) -> Iterator[Finding]:
    """Find lists without an instance that lives, and was shown there before or must be.

    A replica that began anew in between has shown nothing.
    """
    replicas: dict[str, list[Call]] = defaultdict(list)
    for call in lists:
        replicas[call.replica].append(call)
    for its in replicas.values():
        returned = sorted(its, key=lambda c: c.returned_s, reverse=True)
        shown: dict[str, Call] = {}
        """By id, the last list with it."""
        for call in sorted(its, key=lambda c: c.invoked_s):
            while returned and returned[-1].returned_s <= call.invoked_s:
                last = returned.pop()
                shown.update(dict.fromkeys(ids_of(last), last))
            listed = ids_of(call)
            for life in all_lives:
                if life.service_id in listed:
                    continue
                why = _why_listed(life, call, shown.get(life.service_id), new_life)
                if why:
                    text = f"{life.service_id} lives, {why} and is missing"
                    yield Finding(NAME, call.returned_s, f"{text} ({place(call)})")


def _why_listed(
    life: Lifetime, call: Call, former: Call | None, new_life: ByReplica
) -> str:
    """Return why the list must show one that it does not show; empty: it need not."""
    end_s = call.returned_s
    if (
        former is not None
        and life.lives(former.invoked_s, end_s)
        and not new_life.overlaps(call.replica, former.returned_s, end_s)
    ):
        return f"was listed ({place(former)})"
    is_settled = life.is_settled(call.invoked_s, end_s)
    if is_settled and not new_life.overlaps(call.replica, call.invoked_s, end_s):
        return "has lived for long enough to be in all lists"
    return ""


def _disowned(all_lives: list[Lifetime], calls: list[Call]) -> Iterator[Finding]:
    """Find heartbeats of living ones that were told that there is no such id."""
    by_id = {life.service_id: life for life in all_lives}
    for call in calls:
        if call.op != "heartbeat" or (call.outcome, call.code) != (REFUSED, NOT_THERE):
            continue
        life = by_id[call.service_id]
        if life.lives(call.invoked_s, call.returned_s):
            text = f"{call.service_id} lives and its heartbeat is refused"
            yield Finding(NAME, call.returned_s, f"{text} ({place(call)})")


def _lingering(all_lives: list[Lifetime], lists: list[Call]) -> Iterator[Finding]:
    """Find lists with an instance that must have left them by then."""
    dead = [life for life in all_lives if life.dead]
    for call in lists:
        listed = ids_of(call)
        for life in dead:
            since_s = life.dead_since(call.invoked_s, call.returned_s)
            if life.service_id in listed and since_s is not None:
                text = (
                    f"{life.service_id} is dead, should have left the lists at "
                    f"{since_s:.3f} s, and is listed ({place(call)})"
                )
                yield Finding(NAME, call.returned_s, text)


def _unlike(all_lives: list[Lifetime], ending: Ending) -> Iterator[Finding]:
    """Find those whose status at the end is not what they do."""
    at_s = ending.at_s
    for life in all_lives:
        rows = ending.listed.get(life.service, ())
        statuses = {i: status for i, _, status in rows}
        status = statuses.get(life.service_id, "")
        is_there = f"is {status or 'not there'} at {ending.replica} at the end"
        if life.lives(at_s, at_s) and status != HEALTHY:
            text = f"{life.service_id} lives, and {is_there}"
            yield Finding(NAME, at_s, text)
        is_left = status == HEALTHY or (status and life.last_event == "silent")
        if is_left and life.dead_since(at_s, at_s) is not None:
            text = f"{life.service_id} {life.last_event}, and {is_there}"
            yield Finding(NAME, at_s, text)


def _sick(ending: Ending) -> Iterator[Finding]:
    """Find permanent ones that are not healthy: nothing looks at how they are."""
    for service, rows in sorted(ending.listed.items()):
        for service_id, _, status in rows:
            if is_permanent(service) and status != HEALTHY:
                text = f"{service_id} is permanent, and is {status}"
                text += f" at {ending.replica} at the end"
                yield Finding(NAME, ending.at_s, text)
