"""Waits between attempts: bounded, growing, jittered, reproducible."""

from random import Random

from cluster.links.backoff import Backoff


def test_waits_grow_within_their_bounds() -> None:
    """50 ms at least (no spinning), 1 s at most (a peer that is back is found)."""
    backoff = Backoff(Random(1), min_s=0.05, max_s=1.0)
    waits = [backoff.next_s() for _ in range(200)]

    assert 0.05 <= waits[0] <= 0.1
    assert all(0.05 <= wait <= 1.0 for wait in waits)
    assert max(waits) > 0.9


def test_after_a_reset_waits_are_short_again() -> None:
    """A link that lasted and broke is made again at once."""
    backoff = Backoff(Random(1), min_s=0.05, max_s=1.0)
    for _ in range(10):
        backoff.next_s()
    backoff.reset()

    assert backoff.next_s() <= 0.1


def test_two_replicas_wait_differently() -> None:
    """Else they would meet again and again."""
    one = Backoff(Random(1), min_s=0.05, max_s=1.0)
    two = Backoff(Random(2), min_s=0.05, max_s=1.0)

    assert one.next_s() != two.next_s()
