"""Evidence made by hand: a short run of three replicas, with a fault or without."""

from collections.abc import Iterable

from tests.chaos.evidence import DONE, Call, Evidence, Fault, Look, Record, Run
from tests.chaos.recorded import REMEDIES

BEGAN_S = 1_000.0


def run(seed: int = 7) -> Run:
    """Return what it is a run of."""
    return Run("fake", seed, ("a", "b", "c"), 3.0, BEGAN_S)


def write(
    at_s: float, took_s: float = 0.01, *, replica: str = "a", outcome: str = DONE
) -> Call:
    """Return a registration that was answered at some time of the run."""
    return Call(
        client="kept-0",
        replica=replica,
        op="register",
        service="kept-0",
        invoked_s=BEGAN_S + at_s - took_s,
        returned_s=BEGAN_S + at_s,
        outcome=outcome,
        service_id=f"kept-0:{at_s:g}",
        address=f"10.0.{int(at_s)}.{round(at_s * 100) % 100}:80",
        index=int(at_s * 100),
    )


def read(
    at_s: float,
    took_s: float = 0.001,
    *,
    replica: str = "c",
    outcome: str = DONE,
    listed: tuple[tuple[str, str], ...] = (),
) -> Call:
    """Return a plain read that was answered at some time of the run."""
    return Call(
        client=f"reader-{replica}",
        replica=replica,
        op="list",
        service="kept-0",
        invoked_s=BEGAN_S + at_s - took_s,
        returned_s=BEGAN_S + at_s,
        outcome=outcome,
        listed=listed,
    )


def look(
    at_s: float, replica: str, role: str, *, term: int = 1, memory_bytes: int = 2**26
) -> Look:
    """Return what a replica said of itself."""
    return Look(
        BEGAN_S + at_s, replica, role, "", term, 1, memory_bytes, open_files=20, tasks=9
    )


def fault(
    verb: str,
    *targets: str,
    at_s: float,
    over_s: float = 0.0,
    detail: str = "",
) -> list[Record]:
    """Return a fault, and its end if it has one."""
    began_s = BEGAN_S + at_s
    found: list[Record] = [Fault(verb, targets, began_s, began_s + 0.01, detail)]
    if over_s:
        over_s += BEGAN_S
        found.append(
            Fault(REMEDIES[verb][-1], targets, over_s - 0.5, over_s, is_over=True)
        )
    return found


def steady(until_s: float, *, gaps: Iterable[tuple[float, float]] = ()) -> list[Record]:
    """Return ten writes and ten reads a second; no writes within the gaps."""
    records: list[Record] = []
    for tenth in range(1, int(until_s * 10)):
        at_s = tenth / 10
        if not any(start < at_s < end for start, end in gaps):
            records.append(write(at_s, replica="b"))
        records.append(read(at_s))
        if tenth % 5 == 0:
            records += [
                look(at_s, "a", "leader"),
                look(at_s, "b", "follower"),
                look(at_s, "c", "follower"),
            ]
    return records


def evidence(*parts: Iterable[Record]) -> Evidence:
    """Return all of it as evidence of one run."""
    return Evidence([run(), *(record for part in parts for record in part)])
