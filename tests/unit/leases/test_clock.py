"""Lease time runs only while a proof of life could be taken (I4)."""

from hypothesis import given
from hypothesis import strategies as st

from registry.leases.clock import LONGEST_SPAN_S, LeaseClock

STEPS = st.lists(
    st.tuples(st.floats(0.0, 2.0), st.booleans(), st.floats(0.0, 2.0)), max_size=50
)


def _run(clock: LeaseClock, now_s: float, seconds: float) -> float:
    """Observe every 50 ms, able; return the time then."""
    for _ in range(round(seconds / 0.05)):
        now_s += 0.05
        clock.observe(now_s, able=True)
    return now_s


@given(STEPS)
def test_it_never_gains_on_monotonic_time(
    steps: list[tuple[float, bool, float]],
) -> None:
    """A clock that ran ahead would end a lease early."""
    clock, now_s = LeaseClock(), 100.0
    clock.observe(now_s, able=True)
    counted_s = clock.read(now_s)
    for passed_s, able, unnoticed_s in steps:
        now_s += passed_s
        clock.observe(now_s, able=able, unnoticed_s=unnoticed_s)
        assert clock.read(now_s) - counted_s <= passed_s + 1e-9
        assert clock.read(now_s) >= counted_s
        counted_s = clock.read(now_s)


def test_it_runs_with_monotonic_time_while_able() -> None:
    """Without trouble a lease lasts as long as it says."""
    clock = LeaseClock()
    clock.observe(0.0, able=True)
    now_s = _run(clock, 0.0, 10.0)
    assert abs(clock.read(now_s) - 10.0) < 1e-6


def test_a_loop_that_stood_still_counts_nothing() -> None:
    """SIGSTOP for a minute ends no lease."""
    clock = LeaseClock()
    clock.observe(0.0, able=True)
    before = clock.read(_run(clock, 0.0, 1.0))
    assert clock.read(61.0) == before
    clock.observe(61.0, able=True)
    assert clock.read(61.0) == before


def test_it_stands_while_unable() -> None:
    """Nobody could renew, so nobody is late."""
    clock = LeaseClock()
    clock.observe(0.0, able=True)
    now_s = _run(clock, 0.0, 1.0)
    clock.observe(now_s + 0.05, able=False)
    stood_at = clock.read(now_s + 0.05)
    for step in range(100):
        clock.observe(now_s + 0.1 + step * 0.05, able=False)
    assert clock.read(now_s + 5.05) == stood_at


def test_what_passed_unnoticed_is_paid_before_time_counts_again() -> None:
    """Silence is noticed after 0.35 s; those were counted, and must not have been."""
    clock = LeaseClock()
    clock.observe(0.0, able=True)
    now_s = _run(clock, 0.0, 1.0) + 0.05
    clock.observe(now_s, able=False, unnoticed_s=0.35)
    stood_at = clock.read(now_s)
    clock.observe(now_s, able=True)
    now_s = _run(clock, now_s, 0.3)
    assert abs(clock.read(now_s) - stood_at) < 1e-6
    now_s = _run(clock, now_s, 1.0)
    assert abs(clock.read(now_s) - stood_at - 1.0) < 1e-6


def test_what_may_have_to_be_paid_is_not_sure() -> None:
    """A majority that falls silent is noticed late: nothing is decided by that time."""
    clock = LeaseClock()
    clock.observe(0.0, able=True)
    now_s = _run(clock, 0.0, 10.0)
    sure_s = []
    for silent_s in (0.05, 0.1, 0.15, 0.2, 0.25, 0.3):
        clock.observe(now_s + silent_s, able=True, unnoticed_s=max(0, silent_s - 0.1))
        sure_s.append(clock.sure(now_s + silent_s))
    clock.observe(now_s + 0.35, able=False, unnoticed_s=0.25)
    sure_s.append(clock.sure(now_s + 0.35))
    clock.observe(now_s + 2.0, able=True)
    sure_s.append(clock.sure(now_s + 2.0))

    assert max(sure_s) <= 10.1 + 1e-6


def test_nothing_is_owed_that_was_never_counted() -> None:
    """An hour in which the process mostly stands: lease time goes on soon after it."""
    clock, now_s = LeaseClock(), 0.0
    clock.observe(now_s, able=True)
    for _ in range(6_000):
        now_s += 0.4
        clock.observe(now_s, able=False, unnoticed_s=0.4)
        now_s = _run(clock, now_s, 0.2)
    before_s = clock.read(now_s)

    assert clock.read(_run(clock, now_s, 3.0)) > before_s + 1.0


def test_a_reading_is_ahead_of_the_count_by_a_span_at_most() -> None:
    """Stamps may be a hair late, which is the safe side, but no more."""
    clock = LeaseClock()
    clock.observe(0.0, able=True)
    assert clock.read(0.2) == 0.2
    assert max(clock.read(n / 100) for n in range(1000)) <= LONGEST_SPAN_S
