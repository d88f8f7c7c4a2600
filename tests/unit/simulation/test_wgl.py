"""The linearizability checker against histories whose verdict is known."""

from collections.abc import Hashable
from random import Random

import pytest

from tests.support.history import History, Operation
from tests.support.wgl import IMPOSSIBLE, check, check_key

Row = tuple[str, Hashable, Hashable, float, float | None]

LINEARIZABLE: dict[str, list[Row]] = {
    "a concurrent read may see the value or not yet": [
        ("put", 1, None, 0, 10),
        ("read", None, None, 1, 2),
        ("read", None, 1, 3, 4),
    ],
    "an unknown write may take effect late": [
        ("put", 1, None, 0, None),
        ("read", None, None, 5, 6),
        ("read", None, 1, 50, 51),
    ],
    "an unknown write may never take effect": [
        ("put", 1, None, 0, None),
        ("read", None, None, 5, 6),
    ],
    "one of two compare-and-sets wins": [
        ("put", 1, None, 0, 1),
        ("cas", (1, 2), True, 2, 3),
        ("cas", (1, 3), False, 4, 5),
        ("read", None, 2, 6, 7),
    ],
    "equal times overlap": [
        ("put", 1, None, 0, 1),
        ("read", None, None, 1, 2),
    ],
}

BROKEN: dict[str, list[Row]] = {
    "a stale read": [
        ("put", 1, None, 0, 1),
        ("put", 2, None, 2, 3),
        ("read", None, 1, 4, 5),
    ],
    "two reads that go back in time": [
        ("put", 1, None, 0, 100),
        ("read", None, 1, 5, 6),
        ("read", None, None, 7, 8),
    ],
    "a deleted value that returns": [
        ("put", 1, None, 0, 1),
        ("put", None, None, 2, 3),
        ("read", None, 1, 4, 5),
    ],
    "a lost acknowledged write": [
        ("put", 1, None, 0, 1),
        ("read", None, None, 2, 3),
    ],
    "two compare-and-sets that both win": [
        ("put", 1, None, 0, 1),
        ("cas", (1, 2), True, 2, 5),
        ("cas", (1, 3), True, 3, 6),
    ],
    "a value that nobody wrote": [("read", None, 7, 0, 1)],
    "an unknown write that takes effect before its call": [
        ("read", None, 1, 0, 1),
        ("put", 1, None, 2, None),
    ],
}


def register(state: Hashable, operation: Operation) -> Hashable:
    """Model a register with put, compare-and-set and read."""
    argument, result = operation.argument, operation.result
    if operation.op == "put":
        return argument
    if operation.op == "cas":
        assert isinstance(argument, tuple)
        matches = state == argument[0]
        if operation.returned_s is None or matches == result:
            return argument[1] if matches else state
        return IMPOSSIBLE
    return state if result == state else IMPOSSIBLE


def history(rows: list[Row], key: str = "k") -> History:
    """Make a history of one key."""
    made = History()
    for op, argument, result, invoked_s, returned_s in rows:
        made.add(Operation(key, op, argument, result, invoked_s, returned_s))
    return made


@pytest.mark.parametrize("name", LINEARIZABLE)
def test_a_history_with_a_valid_order_is_accepted(name: str) -> None:
    """A checker that cries wolf would be switched off."""
    assert check(history(LINEARIZABLE[name]), register, initial=None) == []


@pytest.mark.parametrize("name", BROKEN)
def test_a_history_without_a_valid_order_is_found(name: str) -> None:
    """Each of these is what a client of a broken cluster would see."""
    (finding,) = check(history(BROKEN[name]), register, initial=None)

    assert not finding.gave_up
    assert finding.stuck is not None


def test_keys_are_judged_one_by_one() -> None:
    """A finding names the key, so that its timeline can be printed."""
    mixed = history(LINEARIZABLE["an unknown write may take effect late"], "good")
    for operation in history(BROKEN["a stale read"], "bad").by_key()["bad"]:
        mixed.add(operation)

    assert [f.key for f in check(mixed, register, initial=None)] == ["bad"]


def test_a_search_that_would_not_end_gives_up_and_says_so() -> None:
    """No verdict is not the verdict "correct"."""
    rows: list[Row] = [("put", n, None, 0, 100) for n in range(12)]
    operations = history([*rows, ("read", None, -1, 0, 100)]).by_key()["k"]

    finding = check_key("k", operations, register, initial=None, step_limit=1_000)

    assert finding is not None
    assert finding.gave_up


@pytest.mark.parametrize("seed", range(20))
def test_a_correct_object_passes_and_one_planted_stale_read_is_found(
    seed: int,
) -> None:
    """Random long histories of many clients, as the simulation makes them."""
    random = Random(seed)
    rows = _lifelike(random, operations=300, clients=6)
    good = history(rows)
    reads = [n for n, row in enumerate(rows) if row[0] == "read" and row[2] is not None]
    first, last = reads[0], reads[-1]
    rows[last] = (*rows[last][:2], rows[first][2], *rows[last][3:])

    assert check(good, register, initial=None) == []
    assert check(history(rows), register, initial=None) != []


def _lifelike(random: Random, *, operations: int, clients: int) -> list[Row]:
    """Let clients call a correct register; some writes are never answered."""
    free_s = [0.0] * clients
    planned: list[tuple[float, float, float, int]] = []
    for number in range(operations):
        client = min(range(clients), key=lambda c: free_s[c])
        begin_s = free_s[client] + random.random() * 0.1
        took_s = random.expovariate(1.0) + 0.01
        planned.append(
            (begin_s + took_s * random.random(), begin_s, begin_s + took_s, number)
        )
        free_s[client] = begin_s + took_s
    rows: list[Row] = []
    value: Hashable = None
    for _, begin_s, end_s, number in sorted(planned):
        if random.random() < 0.5:
            value = number
            end = None if random.random() < 0.02 else end_s
            rows.append(("put", number, None, begin_s, end))
        else:
            rows.append(("read", None, value, begin_s, end_s))
    return rows
