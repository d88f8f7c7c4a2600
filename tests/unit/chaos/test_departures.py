"""Departures that nothing explains, in a history that is whole or cut off."""

from collections.abc import Sequence

from tests.chaos.checkers.calls import is_answer
from tests.chaos.checkers.departures import (
    MOST_LINES,
    Indexes,
    seen_to_leave,
    unexplained,
)
from tests.chaos.checkers.lifetimes import CHECKED as CHECKED_SERVICE
from tests.chaos.checkers.lifetimes import lifetimes
from tests.chaos.checkers.lives import check_lives
from tests.chaos.evidence import Call, Ending, Life, Record
from tests.unit.chaos.made import (
    ARRIVED,
    CHECKED,
    B,
    C,
    beating,
    call,
    ending,
    evidence,
    life,
    listing,
    texts,
)

Change = tuple[str, str, str, str]
D = "checked:2"
MOODY = {C: 0.0, D: 45.0}
"""When each falls ill for the first time; then again every 90 s, for 40 s each time."""
ROUNDS = 15
END_S = 1_500.0


def told(*records: Record | Sequence[Record]) -> list[str]:
    """Judge."""
    return texts(check_lives(evidence(*records)))


def left_too_often(records: Sequence[Record], end: Ending) -> list[str]:
    """Judge departures alone."""
    made = evidence(records)
    lists = [c for c in made.of(Call) if is_answer(c, "list")]
    seen = seen_to_leave(lists, made.run.nodes)
    indexes = Indexes(lists, made.run.nodes)
    return [*unexplained(lifetimes(made, CHECKED_SERVICE), seen, indexes, end)]


def fell(service_id: str, cause: str = "check_failed") -> Change:
    """Return the line of a departure."""
    return (service_id, "healthy", "unhealthy", cause)


def rose(service_id: str) -> Change:
    """Return the line of a return."""
    return (service_id, "unhealthy", "healthy", "check_passed")


def long_run() -> tuple[list[Record], list[Change]]:
    """Return two that fall and rise in turns for long, and what a history keeps."""
    records: list[Record] = []
    events: list[Life] = []
    for service_id, first_s in MOODY.items():
        records.append(call("register", service_id, 0.5))
        records.append(life("answers", service_id, 0.6))
        for n in range(ROUNDS):
            at_s = 100 + first_s + 90 * n
            events.append(life("fails", service_id, at_s))
            events.append(life("answers", service_id, at_s + 40))
            for replica in "abc":
                well = ("1 2", at_s - 1)
                ill = ("2" if service_id == C else "1", at_s + 8)
                records += [
                    listing(
                        CHECKED_SERVICE,
                        ids,
                        asked_s,
                        replica=replica,
                        index=int(asked_s),
                    )
                    for ids, asked_s in (well, ill)
                ]
    events.sort(key=lambda event: event.at_s)
    history = [(service_id, *ARRIVED) for service_id in MOODY]
    for event in events:
        make = fell if event.event == "fails" else rose
        history.append(make(event.service_id))
    assert len(history) > MOST_LINES
    return records + list(events), history


def at_the_end(history: list[Change]) -> Ending:
    """Return an ending with the last lines of a history, where all are well."""
    rows = [f"{service_id} healthy" for service_id in MOODY]
    return ending("a", *rows, at_s=END_S, changes=tuple(history[-MOST_LINES:]))


def test_a_history_that_is_cut_off_is_fine() -> None:
    """There are more reasons than it can show departures."""
    records, history = long_run()

    assert not left_too_often(records, at_the_end(history))


def test_one_departure_too_many_is_found_though_older_reasons_abound() -> None:
    """Those lie before what the history can show, wherever the false one is."""
    for place in range(1, MOST_LINES):
        for service_id in MOODY:
            records, history = long_run()
            before = [c for i, _, c, _ in history[:-place] if i == service_id]
            if before[-1] != "healthy":
                continue
            history[-place:-place] = [fell(service_id, "false"), rose(service_id)]

            found = left_too_often(records, at_the_end(history))

            if place < MOST_LINES - 8:
                assert found, f"{service_id} at {place}"
                assert found[0].startswith(f"{service_id} left the list "), found


def test_one_that_never_fell_is_not_excused_by_others() -> None:
    """It has no reason at all."""
    records, history = long_run()
    steady = "checked:3"
    calm: list[Record] = [call("register", steady, 0.5), life("answers", steady, 0.6)]
    history[-10:-10] = [fell(steady, "false"), rose(steady)]
    end = at_the_end(history)

    (text,) = left_too_often([*records, *calm], end)

    assert text.startswith(f"{steady} left the list 1 times since ")
    assert text.endswith(" with 0 reasons, says a: false")


def test_an_orderly_exit_is_one_reason() -> None:
    """To fall silent and to be deregistered, or not to be renewed, is one departure."""
    left = (B, "healthy", "", "deregistered")
    twice = ((B, *ARRIVED), left, (B, "", "healthy", "revived"), left)
    going = [*beating(10), life("silent", B, 9.5), call("deregister", B, 10.0)]

    assert not told(going, ending("a", at_s=19.0, changes=twice[:2]))
    (text,) = told(going, ending("a", at_s=19.0, changes=twice))
    assert text.startswith(f"{B} left the list 2 times with 1 reasons")
    failing = [*CHECKED, life("fails", C, 5.0), call("deregister", C, 5.1)]
    again = ((C, *ARRIVED), fell(C), rose(C), fell(C))
    assert not told(failing, ending("a", at_s=19.0, changes=again[:2]))
    (text,) = told(failing, ending("a", at_s=19.0, changes=again))
    assert text.startswith(f"{C} left the list 2 times with 1 reasons")


def test_a_lease_that_was_renewed_in_time_is_no_reason() -> None:
    """It may have run out; nothing had changed, wherever one asked afterwards."""
    records = [*beating(5), *beating(20, from_s=9)[2:]]  # none between 4 and 9 s
    gone = (B, "healthy", "", "lease_expired")
    changes = ((B, *ARRIVED), gone, (B, "", "healthy", "revived"))
    end = ending("a", f"{B} healthy", at_s=19.0, changes=changes)
    before = listing("beating", "1", 6, index=3)

    def after(at_s: float, index: int) -> list[Record]:
        return [
            listing("beating", "1", at_s, index=index, replica=replica)
            for replica in "abc"
        ]

    assert not told(records, end)
    assert not told(records, before, after(11, 5), end)
    assert not told(records, before, after(9.5, 3), end)
    assert not told(records, before, after(11, 3)[:2], end)
    (text,) = told(records, before, after(11, 3), end)
    assert text.startswith(f"{B} left the list 1 times with 0 reasons")
