"""Nothing acknowledged is lost, doubled, risen from the dead, or put before its past.

All but the last is judged by what is there at the end.
"""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checkers.calls import (
    WRITES,
    by_id,
    by_service,
    is_answer,
    is_permanent,
    may_count,
    may_follow,
    place,
)
from tests.chaos.evidence import DONE, Call, Ending, Evidence
from tests.chaos.findings import Finding

NAME = "writes"


def check_writes(evidence: Evidence) -> list[Finding]:
    """Compare what each replica knows at the end with what clients did."""
    calls = by_service(evidence, lambda c: is_permanent(c.service) and c.op != "list")
    expected = [(service, _Expected(calls[service])) for service in sorted(calls)]
    findings: list[Finding] = []
    for ending in evidence.of(Ending):
        for service, wanted in expected:
            rows = ending.listed.get(service, ())
            where = f"{service} at {ending.replica}"
            listed = [(service_id, address) for service_id, address, _ in rows]
            texts = [*wanted.broken(listed)]
            findings += [Finding(NAME, ending.at_s, f"{where}: {t}") for t in texts]
        unknown = {s for s in ending.listed if is_permanent(s)} - calls.keys()
        findings += [
            Finding(NAME, ending.at_s, f"{s} at {ending.replica}: nobody registered it")
            for s in sorted(unknown)
            if ending.listed[s]
        ]
    return [*findings, *_disordered(evidence)]


def _disordered(evidence: Evidence) -> Iterator[Finding]:
    """Find writes before others in the log that had returned before they began.

    There is one log for all services. Writes of one entry have the same index.
    """
    writes = [c for c in evidence.of(Call) if c.op in WRITES and c.outcome == DONE]
    returned = sorted(writes, key=lambda c: c.returned_s, reverse=True)
    highest: Call | None = None
    for write in sorted(writes, key=lambda c: c.invoked_s):
        while returned and returned[-1].returned_s < write.invoked_s:
            last = returned.pop()
            if highest is None or last.index > highest.index:
                highest = last
        if highest is not None and 0 < write.index < highest.index:
            text = (
                f"{write.op} {write.service_id} is at index {write.index} "
                f"({place(write)}), after {highest.op} {highest.service_id} "
                f"had been done at {highest.index} ({place(highest)})"
            )
            yield Finding(NAME, write.returned_s, text)


class _Expected:
    """What one service may look like at the end."""

    def __init__(self, calls: list[Call]) -> None:
        self._attempted = {
            (c.service_id, c.address) for c in calls if may_count(c, "register")
        }
        self._kept: dict[str, Call] = {}
        """Acknowledged registers that nothing can have undone."""
        self._ended: dict[str, Call] = {}
        """Acknowledged deregisters that nothing can have undone."""
        for service_id, its in by_id(calls).items():
            kept = _final(its, "register", undone_by="deregister")
            ended = _final(its, "deregister", undone_by="register")
            if kept is not None:
                self._kept[service_id] = kept
            if ended is not None:
                self._ended[service_id] = ended

    def broken(self, listed: list[tuple[str, str]]) -> Iterator[str]:
        """Say what is wrong with a list."""
        ids = Counter(service_id for service_id, _ in listed)
        addresses = Counter(address for _, address in listed)
        for service_id in sorted(self._kept.keys() - ids.keys()):
            yield f"{service_id} is lost, registered by {place(self._kept[service_id])}"
        for name, count in [*sorted(ids.items()), *sorted(addresses.items())]:
            if count > 1:
                yield f"{name} is there {count} times"
        for service_id, address in sorted(set(listed)):
            if service_id in self._ended:
                by = place(self._ended[service_id])
                yield f"{service_id} is there again, deregistered by {by}"
            elif (service_id, address) not in self._attempted:
                yield f"{service_id} at {address} is there, and nobody registered that"


def _final(calls: list[Call], op: str, *, undone_by: str) -> Call | None:
    """Return the last call of a kind that was done, if nothing can have undone it."""
    done = [call for call in calls if is_answer(call, op)]
    if not done:
        return None
    last = max(done, key=lambda call: (call.index, call.returned_s))
    undoing = (c for c in calls if may_count(c, undone_by))
    return None if any(may_follow(call, last) for call in undoing) else last
