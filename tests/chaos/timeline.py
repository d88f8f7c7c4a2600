"""What happened around a finding, as text: faults, leaders, lives and calls near it.

A run holds hundreds of calls a second, so of those only the ones that name what the
finding names are told, or, where it names nothing known, the writes; and of what a
client reads over and over only what is new.
"""

import re
from collections.abc import Callable, Collection, Iterable, Iterator

from tests.chaos.evidence import Call, Evidence, Fault, Life
from tests.chaos.findings import Finding
from tests.chaos.moments import began_s, ended_s, leaders

BEFORE_S = 8.0
AFTER_S = 3.0
MARGIN_S = 1.0
LINES = 160
FIRST_LINES = 40
"""Of each finding; what is more is left out between the first and the last ones."""
SHOWN = 12
"""Findings told whole; the others are only named."""
LISTED = 6
"""Instances told of an answer."""
NAMES = re.compile(r"[\w.:-]*\w")


def timeline(evidence: Evidence, findings: Iterable[Finding]) -> list[str]:
    """Return the story of each finding, with times since the begin of the run."""
    lines: list[str] = []
    for number, finding in enumerate(findings, 1):
        lines.append(f"{number}. {finding.checker}: {finding.text}")
        if number <= SHOWN:
            lines += [f"   {line}" for line in _around(evidence, finding)]
    if lines:
        lines.insert(0, f"times below: seconds since {began_s(evidence):.3f}")
    return lines


def _around(evidence: Evidence, finding: Finding) -> list[str]:
    """Tell what was near it, and of the instance that it names all that went before."""
    zero_s, at_s = began_s(evidence), finding.at_s or ended_s(evidence)
    names = set(NAMES.findall(finding.text))
    from_s, to_s = at_s - BEFORE_S, at_s + AFTER_S
    calls = _calls_of_instance(evidence, names)
    if calls:
        from_s = min(from_s, calls[0].invoked_s - MARGIN_S)
    else:
        calls = _calls_near(evidence, names)
    events = [
        *_events(evidence),
        *((call.invoked_s, told(call, names)) for call in _news(calls, names)),
        (at_s, f"*** {finding.checker}"),
    ]
    lines = [
        f"{when_s - zero_s:9.3f}  {text}"
        for when_s, text in sorted(events)
        if from_s <= when_s <= to_s
    ]
    if len(lines) > LINES:
        lines[FIRST_LINES : FIRST_LINES - LINES] = [
            f"      ...  {len(lines) - LINES} more"
        ]
    return lines


def _events(evidence: Evidence) -> Iterator[tuple[float, str]]:
    for fault in evidence.of(Fault):
        what = f"{fault.verb} {' '.join(fault.targets)}"
        detail = f" ({fault.detail})" if fault.detail else ""
        yield fault.began_s, f"FAULT {what}{detail}"
        if fault.is_over:
            yield fault.done_s, f"FAULT {what}: over, all ready"
    for at_s, node_id in leaders(evidence):
        yield at_s, f"LEADER {node_id}"
    for life in evidence.of(Life):
        what = f"{life.service} {life.service_id} {life.address} {life.event}"
        yield life.at_s, f"LIFE {what}"


def _calls_of_instance(evidence: Evidence, names: set[str]) -> list[Call]:
    """Return the writes to an instance that is named, and all reads of its service."""
    calls = evidence.of(Call)
    own = {c.service for c in calls if {c.service_id, c.address} & names}
    return [
        call
        for call in calls
        if call.service in own
        and (call.op == "list" or {call.service_id, call.address} & names)
    ]


def _calls_near(evidence: Evidence, names: set[str]) -> list[Call]:
    """Return the calls of a client or service that is named, else all writes."""
    tests: tuple[Callable[[Call], bool], ...] = (
        lambda call: call.client in names,
        lambda call: call.service in names,
        lambda call: call.op != "list",
    )
    for test in tests:
        found = [call for call in evidence.of(Call) if test(call)]
        if found:
            break
    return found


def _news(calls: Iterable[Call], names: set[str]) -> Iterator[Call]:
    """Leave out reads in which a client saw nothing else than in its last one there."""
    seen: dict[tuple[str, str, str], tuple[str, set[str]]] = {}
    for call in calls:
        if call.op == "list":
            where = (call.client, call.replica, call.service)
            view = (call.code, names & {name for one in call.listed for name in one})
            if seen.get(where) == view:
                continue
            seen[where] = view
        yield call


def told(call: Call, names: Collection[str] = ()) -> str:
    """Return a call in one line; of what it listed those in ``names``, if there."""
    asked = f"{call.service_id} {call.address}".strip()
    if call.op == "list":
        asked = " consistent" * call.is_consistent
        asked += f" min_index={call.min_index}" * bool(call.min_index)
    answer = call.code or call.outcome
    if call.op == "list" and not call.code:
        ids = [i for i, _ in call.listed if i in names] or [i for i, _ in call.listed]
        more = f" … {len(call.listed)}" * (
            len(ids) > LISTED or len(ids) < len(call.listed)
        )
        answer = f"[{' '.join(ids[:LISTED])}{more}]"
    what = " ".join(filter(None, (call.op, call.service, asked.strip())))
    took_ms = 1e3 * (call.returned_s - call.invoked_s)
    index = f" @{call.index}" * bool(call.index)
    return (
        f"{call.client} → {call.replica}: {what} = {answer}{index} ({took_ms:.0f} ms)"
    )
