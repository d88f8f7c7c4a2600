"""The ledger: numbered batches around the user's machine, and a running CRC."""

import pytest

from cluster.entry import NO_OP, REGULAR
from cluster.ledger import (
    CHECK_EVERY,
    CHECKS_KEPT,
    INTERNAL_REFUSAL,
    REMEMBERED_BATCHES,
    REMEMBERED_INCARNATIONS,
    Batch,
    BatchResult,
    Ledger,
    encode_batch,
)
from cluster.state_machine import UnknownCommand
from tests.scenarios.support_hands import Notebook

LIFE = b"life-001"


def entry(number: int, *commands: bytes, life: bytes = LIFE, schema: int = 1) -> bytes:
    """Return a log entry."""
    return REGULAR + encode_batch(Batch(schema, "a", life, number, list(commands)))


def raising(number: int, schema: int) -> bytes:
    """Return an entry that raises the agreement to ``schema``."""
    return REGULAR + encode_batch(Batch(1, "a", LIFE, number, [], schema))


def test_commands_are_applied_in_their_places() -> None:
    """Positions are unique over the whole log, and in its order."""
    machine = Notebook()
    result = Ledger(machine).apply(5, entry(1, b"x", b"y"))

    assert result == BatchResult(5, [b"x", b"y"])
    assert machine.commands == [b"x", b"y"]
    assert machine.applied_indexes == [5]


def test_a_leaders_first_entry_applies_nothing() -> None:
    """NO_OP is Raft's business; the index moves all the same."""
    machine = Notebook()
    ledger = Ledger(machine)

    assert ledger.apply(2, NO_OP) is None
    assert ledger.index == 2
    assert machine.applied_indexes == []


def test_a_second_copy_answers_what_the_first_did() -> None:
    """Its proposer may hear the second answer only."""
    machine = Notebook()
    ledger = Ledger(machine)
    first = ledger.apply(2, entry(1, b"x"))
    crc = ledger.crc

    assert ledger.apply(3, entry(1, b"x")) == first
    assert machine.commands == [b"x"]
    assert ledger.crc == crc
    assert ledger.duplicates == 1


def test_a_number_of_another_life_is_another_batch() -> None:
    """A restarted replica counts from 1 again."""
    machine = Notebook()
    ledger = Ledger(machine)
    ledger.apply(2, entry(1, b"x"))
    ledger.apply(3, entry(1, b"y", life=b"life-002"))

    assert machine.commands == [b"x", b"y"]


def test_a_batch_too_old_to_be_remembered_is_dropped() -> None:
    """Its outcome is forgotten, but that it was settled is not."""
    machine = Notebook()
    ledger = Ledger(machine)
    for number in range(1, REMEMBERED_BATCHES + 2):
        ledger.apply(number + 1, entry(number, b"%d" % number))
    before = list(machine.commands)

    assert ledger.apply(100, entry(1, b"1")) is None
    assert machine.commands == before


def test_a_batch_that_was_given_up_may_arrive_late_once() -> None:
    """Its number was skipped, so it was not applied; a second copy is not."""
    machine = Notebook()
    ledger = Ledger(machine)
    ledger.apply(2, entry(1, b"1"))
    ledger.apply(3, entry(3, b"3"))
    late = ledger.apply(4, entry(2, b"2"))

    assert late == BatchResult(4, [b"2"])
    assert ledger.apply(5, entry(2, b"2")) == late
    assert machine.commands == [b"1", b"3", b"2"]


def test_a_late_batch_does_not_push_out_a_newer_one() -> None:
    """The oldest number goes first, whenever it arrived."""
    ledger = Ledger(Notebook())
    numbers = [1, *range(3, REMEMBERED_BATCHES + 3), 2]
    for index, number in enumerate(numbers, start=2):
        ledger.apply(index, entry(number, b"%d" % number))
    newest = REMEMBERED_BATCHES + 2

    again = ledger.apply(200, entry(newest, b"again"))
    assert again is not None
    assert again.index < 200


def test_only_so_many_lives_of_a_replica_are_remembered() -> None:
    """The replicated state is bounded."""
    machine = Notebook()
    ledger = Ledger(machine)
    for life in range(REMEMBERED_INCARNATIONS + 1):
        ledger.apply(life + 2, entry(1, b"x", life=b"life-%03d" % life))
    before = len(machine.commands)
    newest = b"life-%03d" % REMEMBERED_INCARNATIONS
    ledger.apply(50, entry(1, b"x", life=newest))
    assert len(machine.commands) == before
    ledger.apply(51, entry(1, b"x", life=b"life-000"))

    assert len(machine.commands) == before + 1


def test_a_handlers_exception_is_an_outcome() -> None:
    """The same on every replica, so it need not stop any (I2)."""
    machine = Notebook()
    ledger = Ledger(machine)
    result = ledger.apply(2, entry(1, b"a", b"poison", b"b"))

    assert result == BatchResult(2, [b"a", INTERNAL_REFUSAL, b"b"])
    assert ledger.refusals == 1


@pytest.mark.parametrize("error", [MemoryError, RecursionError, UnknownCommand])
def test_what_depends_on_the_replica_is_not_an_outcome(
    error: type[BaseException],
) -> None:
    """Another replica may have had the memory: refusing here would diverge."""

    class Failing(Notebook):
        def apply(self, _: int, command: bytes) -> bytes:
            raise error

    ledger = Ledger(Failing())
    with pytest.raises(error):
        ledger.apply(2, entry(1, b"x"))

    assert ledger.index == 1


def test_a_newer_schema_stops_the_replica() -> None:
    """It must not skip what it does not understand (I1)."""
    ledger = Ledger(Notebook(), schema=2)
    ledger.apply(2, entry(1, b"x", schema=2))

    with pytest.raises(UnknownCommand, match="needs schema 3: upgrade"):
        ledger.apply(3, entry(2, b"x", schema=3))


def test_the_agreement_on_a_schema_only_rises() -> None:
    """Commands of a newer schema wait for it, so it must not go back."""
    ledger = Ledger(Notebook(), schema=3)
    ledger.apply(2, raising(1, 3))
    ledger.apply(3, raising(2, 2))

    assert ledger.min_schema == 3


def test_an_agreement_beyond_this_version_stops_the_replica() -> None:
    """It would let commands in that this replica does not know."""
    ledger = Ledger(Notebook(), schema=1)

    with pytest.raises(UnknownCommand):
        ledger.apply(2, raising(1, 2))


def test_equal_logs_give_equal_crcs_and_others_do_not() -> None:
    """Every outcome and every index counts."""
    one, same, other, moved = (Ledger(Notebook()) for _ in range(4))
    one.apply(2, entry(1, b"x"))
    same.apply(2, entry(1, b"x"))
    other.apply(2, entry(1, b"y"))
    moved.apply(3, entry(1, b"x"))

    assert one.crc == same.crc
    assert len({one.crc, other.crc, moved.crc}) == 3


def test_checks_are_kept_at_some_indexes_and_bounded() -> None:
    """Enough for a follower that is a little behind."""
    ledger = Ledger(Notebook())
    last = CHECK_EVERY * (CHECKS_KEPT + 5)
    for index in range(2, last + 1):
        ledger.apply(index, NO_OP)

    assert len(ledger.checks) == CHECKS_KEPT
    assert next(reversed(ledger.checks)) == last
    assert all(index % CHECK_EVERY == 0 for index in ledger.checks)


def restored(ledger: Ledger, schema: int = 1) -> tuple[Ledger, Notebook]:
    """Return a new ledger from the snapshot of ``ledger``."""
    machine = Notebook()
    copy = Ledger(machine, schema)
    for _ in copy.restore(iter(list(ledger.snapshot()))):
        pass
    return copy, machine


def test_a_snapshot_holds_everything_that_later_entries_depend_on() -> None:
    """Numbers, order of lives, CRC and agreement: a restored replica goes on alike."""
    ledger = Ledger(Notebook(), schema=2)
    ledger.apply(2, entry(1, b"x"))
    ledger.apply(3, entry(1, b"y", life=b"life-002"))
    ledger.apply(4, raising(2, 2))
    copy, machine = restored(ledger, schema=2)
    assert machine.commands == [b"x", b"y"]
    assert (copy.index, copy.crc, copy.min_schema) == (4, ledger.crc, 2)
    for each in (ledger, copy):
        each.apply(5, entry(1, b"x"))
        each.apply(6, entry(2, b"z", life=b"life-002"))

    assert machine.commands == [b"x", b"y", b"z"]
    assert copy.crc == ledger.crc


def test_a_snapshot_that_is_being_written_does_not_change() -> None:
    """The worker draws chunks while the loop applies on."""
    ledger = Ledger(Notebook())
    ledger.apply(2, entry(1, b"x"))
    chunks = iter(ledger.snapshot())
    ledger.apply(3, entry(2, b"y"))
    machine = Notebook()
    copy = Ledger(machine)
    for _ in copy.restore(chunks):
        pass

    assert machine.commands == [b"x"]
    assert copy.index == 2


@pytest.mark.parametrize("first", [[], [b""], [b"\x90"], [b"garbage"]])
def test_a_snapshot_that_is_none_is_refused(first: list[bytes]) -> None:
    """An empty state must never stand for one that could not be read."""
    with pytest.raises(ValueError, match="does not begin with a ledger"):
        list(Ledger(Notebook()).restore(iter(first)))


def test_a_snapshot_of_a_newer_agreement_is_refused() -> None:
    """It says what to do."""
    ledger = Ledger(Notebook(), schema=2)
    ledger.apply(2, raising(1, 2))

    with pytest.raises(UnknownCommand, match="upgrade this replica"):
        restored(ledger, schema=1)
