"""When the open loop sends: evenly, and nothing is left out because it was late."""

from bench.load.open import Schedule


def test_requests_are_due_at_even_times() -> None:
    """The rate is the caller's, whatever the answers do."""
    schedule = Schedule(100.0, rate_per_s=10.0, seconds=0.5)

    assert schedule.next_s == 100.0
    assert schedule.due(100.0) == [100.0]
    assert schedule.due(100.05) == []
    assert schedule.due(100.1) == [100.1]


def test_what_was_missed_is_due_from_when_it_should_have_been_sent() -> None:
    """Otherwise a stall would count once, and not for all that it delayed."""
    schedule = Schedule(0.0, rate_per_s=4.0, seconds=1.0)

    assert schedule.due(10.0) == [0.0, 0.25, 0.5, 0.75]
    assert schedule.next_s is None
    assert schedule.due(11.0) == []


def test_the_last_one_is_before_the_end() -> None:
    """So a rate times its seconds is what is sent."""
    schedule = Schedule(5.0, rate_per_s=3.0, seconds=2.0)

    assert len(schedule.due(1e9)) == 6
