"""Records made by hand, with what a test does not care about left out."""

from collections.abc import Sequence
from typing import Any

from tests.chaos.evidence import (
    DONE,
    REFUSED,
    Call,
    Ending,
    Evidence,
    Fault,
    Life,
    Look,
    Record,
    Run,
)
from tests.chaos.findings import Finding

RUN = Run("processes", 1, ("a", "b", "c"), 3.0, 0.0)
B = "beating:1"
C = "checked:1"
ARRIVED = ("", "healthy", "registered")


def evidence(*records: Record | Sequence[Record]) -> Evidence:
    """Return evidence of a run of three replicas, with a TTL of 3 s."""
    flat: list[Record] = [RUN]
    for record in records:
        flat += record if isinstance(record, Sequence) else [record]
    return Evidence(flat)


def texts(findings: list[Finding]) -> list[str]:
    """Return what the findings say."""
    return [finding.text for finding in findings]


def call(
    op: str, service_id: str, invoked_s: float, returned_s: float = 0.0, **more: Any
) -> Call:
    """Return a call on an id; by default it was done, at once, by one client at a."""
    fields: dict[str, Any] = {
        "client": "one",
        "replica": "a",
        "service": service_id.split(":")[0],
        "outcome": DONE,
        "address": f"host-{service_id}:80",
    } | more
    end_s = returned_s or invoked_s + 0.1
    return Call(
        op=op, service_id=service_id, invoked_s=invoked_s, returned_s=end_s, **fields
    )


def absent(op: str, service_id: str, invoked_s: float, **more: Any) -> Call:
    """Return a call that was told that there is no such id."""
    told = {"outcome": REFUSED, "code": "unknown_service_id"}
    return call(op, service_id, invoked_s, **(told | more))


def listing(
    service: str, ids: str, invoked_s: float, returned_s: float = 0.0, **more: Any
) -> Call:
    """Return a list of a service: ``"1 2"`` for its instances 1 and 2."""
    listed = tuple((f"{service}:{i}", f"host-{service}:{i}:80") for i in ids.split())
    fields: dict[str, Any] = {"service": service, "listed": listed, "address": ""}
    return call("list", "", invoked_s, returned_s, **(fields | more))


def life(event: str, service_id: str, at_s: float) -> Life:
    """Return what was done to an instance."""
    service = service_id.split(":")[0]
    return Life(at_s, event, service, f"host-{service_id}:80", service_id)


def fault(
    verb: str, replica: str, began_s: float, ended_s: float, remedy: str
) -> list[Record]:
    """Return a fault and what ended it."""
    return [
        Fault(verb, (replica,), began_s, began_s + 0.01),
        Fault(remedy, (replica,), ended_s - 0.01, ended_s, is_over=True),
    ]


def ending(
    replica: str,
    *rows: str,
    at_s: float = 100.0,
    changes: tuple[tuple[str, str, str, str], ...] = (),
) -> Ending:
    """Return what a replica knows at the end: ``"kept-0:1 healthy"``, in this order."""
    listed: dict[str, tuple[tuple[str, str, str], ...]] = {}
    for row in rows:
        service_id, status = row.split()
        service = service_id.split(":")[0]
        one = (service_id, f"host-{service_id}:80", status)
        listed[service] = (*listed.get(service, ()), one)
    told: dict[str, tuple[tuple[str, str, str, str], ...]] = {}
    for change in changes:
        service = change[0].split(":")[0]
        told[service] = (*told.get(service, ()), change)
    return Ending(at_s, replica, 1, listed, told)


def look(
    replica: str,
    at_s: float,
    *,
    term: int = 1,
    index: int = 1,
    role: str = "follower",
    leader: str = "",
) -> Look:
    """Return what a replica said of itself; by default it knows no leader."""
    return Look(at_s, replica, role, leader, term, index)


def beating(until_s: int, *, from_s: int = 1, service_id: str = B) -> list[Record]:
    """Return one that registers at 0.5 s and beats every second, answered at once."""
    beats = [call("heartbeat", service_id, float(n)) for n in range(from_s, until_s)]
    register = call("register", service_id, 0.5)
    return [register, life("beats", service_id, 0.6), *beats]


CHECKED: list[Record] = [call("register", C, 0.5), life("answers", C, 0.6)]
