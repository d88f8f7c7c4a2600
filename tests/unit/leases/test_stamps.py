"""Each index has the lease time of its apply, or one a little later."""

from hypothesis import given
from hypothesis import strategies as st

from registry.leases.stamps import FACTOR, LEVELS, WIDTH_S, Stamps

LENGTH = 8
STEPS = st.lists(st.tuples(st.integers(1, 3), st.floats(0.0, 0.5)), max_size=300)
REACH_S = WIDTH_S * FACTOR ** (LEVELS - 1) * LENGTH


def _noted(steps: list[tuple[int, float]]) -> tuple[Stamps, list[tuple[int, float]]]:
    stamps, index, at_s, true = Stamps(length=LENGTH), 0, 0.0, []
    for more, passed_s in steps:
        index, at_s = index + more, at_s + passed_s
        stamps.note(index, at_s)
        true.append((index, at_s))
    return stamps, true


@given(STEPS)
def test_a_stamp_is_never_before_the_true_time(steps: list[tuple[int, float]]) -> None:
    """An early one would end a lease early."""
    stamps, true = _noted(steps)
    assert all(stamps.at(index) >= at_s for index, at_s in true)


@given(STEPS)
def test_a_stamp_is_late_by_at_most_its_buckets_width(
    steps: list[tuple[int, float]],
) -> None:
    """The width of 20 ms for what is new, and four times it a level further."""
    stamps, true = _noted(steps)
    for age, (index, at_s) in enumerate(reversed(true)):
        # A level holds at least LENGTH buckets once it has given any away.
        level = min(LEVELS - 1, age // LENGTH)
        assert stamps.at(index) <= at_s + WIDTH_S * FACTOR**level + 1e-9


@given(STEPS)
def test_stamps_rise_with_the_index(steps: list[tuple[int, float]]) -> None:
    """What was renewed later does not end earlier."""
    stamps, true = _noted(steps)
    last = true[-1][0] if true else 0
    found = [stamps.at(index) for index in range(last + 3)]
    assert found == sorted(found)


@given(STEPS, st.floats(0.0, 100.0))
def test_last_before_names_only_what_was_applied_by_then(
    steps: list[tuple[int, float]], at_s: float
) -> None:
    """What it names may be forgotten for good."""
    stamps, true = _noted(steps)
    index = stamps.last_before(at_s)
    assert index == 0 or dict(true)[index] <= at_s


def test_after_a_restore_everything_is_stamped_with_its_moment() -> None:
    """One whole lease is granted: nobody knows what was missed."""
    stamps = Stamps(length=LENGTH)
    for index in range(1, 100):
        stamps.note(index, index * 1.0)
    stamps.begin(500, 200.0)
    stamps.note(501, 205.0)
    assert stamps.at(1) == stamps.at(500) == 200.0
    assert stamps.at(501) == stamps.at(9_999) == 205.0
    assert stamps.last_before(199.0) == 0
    assert stamps.last_before(201.0) == 500


def test_an_empty_table_knows_nothing() -> None:
    """Time begins at zero."""
    assert Stamps().at(7) == 0.0
    assert Stamps().last_before(7.0) == 0


def test_what_falls_off_the_end_is_stamped_by_the_oldest_that_is_left() -> None:
    """Later than true, so safe."""
    stamps = Stamps(length=1)
    for index in range(1, 20_000):
        stamps.note(index, index * 1_000.0)
    assert 1_000.0 < stamps.at(1) <= 20_000 * 1_000.0
