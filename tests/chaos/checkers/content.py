"""What a list shows: the same at the same index, each once, as it was registered."""

from collections import Counter
from collections.abc import Iterator

from tests.chaos.checkers.calls import by_service, is_answer, may_count, place
from tests.chaos.evidence import Call, Evidence
from tests.chaos.findings import Finding

NAME = "content"

Entry = tuple[str, str]
"""An id and an address."""


def check_content(evidence: Evidence) -> list[Finding]:
    """Compare lists with each other, and with what was registered."""
    lists = by_service(evidence, lambda c: is_answer(c, "list"))
    asked = by_service(evidence, lambda c: may_count(c, "register"))
    findings: list[Finding] = []
    for service, reads in sorted(lists.items()):
        known = _first_asked(asked.get(service, []))
        findings += _contents(sorted(reads, key=lambda c: c.returned_s), known)
    return findings


def _first_asked(registers: list[Call]) -> dict[Entry, float]:
    """Return when each entry may have come to be at the earliest."""
    first_s: dict[Entry, float] = {}
    for call in sorted(registers, key=lambda c: c.invoked_s):
        first_s.setdefault((call.service_id, call.address), call.invoked_s)
    return first_s


def _contents(reads: list[Call], known: dict[Entry, float]) -> Iterator[Finding]:
    """Go through the answers about one service; look closely at each new one.

    The index is that of the last change of what is listed, so whoever knows a service
    up to an index lists the same.
    """
    first: dict[int, Call] = {}
    for read in reads:
        former = first.setdefault(read.index, read)
        if former is not read and former.listed == read.listed:
            continue
        texts = [*_doubled(read), *_strange(read, known)]
        if set(former.listed) != set(read.listed):
            apart = sorted(set(former.listed) ^ set(read.listed))
            texts.append(
                f"two lists at index {read.index} differ in {_words(apart)}: "
                f"the other is from {place(former)}"
            )
        for text in texts:
            where = f"{read.service}: {text} ({place(read)})"
            yield Finding(NAME, read.returned_s, where)


def _doubled(read: Call) -> Iterator[str]:
    ids = Counter(service_id for service_id, _ in read.listed)
    addresses = Counter(address for _, address in read.listed)
    for name, count in [*sorted(ids.items()), *sorted(addresses.items())]:
        if count > 1:
            yield f"{name} is listed {count} times"


def _strange(read: Call, known: dict[Entry, float]) -> Iterator[str]:
    for service_id, address in sorted(set(read.listed)):
        asked_s = known.get((service_id, address))
        if asked_s is None:
            yield f"{service_id} at {address} is listed, nobody registered that here"
        elif read.returned_s < asked_s:
            yield f"{service_id} is listed before anybody registered it"


def _words(entries: list[Entry]) -> str:
    return ", ".join(f"{service_id} at {address}" for service_id, address in entries)
