"""Throughput over time around a kill."""

from bench.scenarios.failover import STEP_S, rates


def test_acknowledgements_are_counted_by_step() -> None:
    """A gap of an election must be seen as one, also where a second hides it."""
    found = rates([10.01, 10.05, 10.25], from_s=10.0, to_s=10.3)

    assert found == (2 / STEP_S, 0.0, 1 / STEP_S)


def test_what_came_before_or_after_is_left_out() -> None:
    """Each turn shows the same stretch around its kill."""
    assert rates([9.99, 10.31], from_s=10.0, to_s=10.3) == (0.0, 0.0, 0.0)
