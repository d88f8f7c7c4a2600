"""Measurements that tell their figures in words become numbers."""

from bench import figures
from bench.scenarios import SCENARIOS, USUAL, measured, scenario


def test_words_become_numbers_with_their_limits() -> None:
    """The median of the turns, with the limit as a floor."""
    turns = [
        [
            figures.at_most("commit", value, 1.5, "ms"),
            figures.at_least("batched", 40_000 * value, 40_000, "commands/s"),
        ]
        for value in (1.0, 2.0, 1.25)
    ]

    commit, batched = measured.outcome("x", "y", turns).figures

    assert (commit.value, commit.unit, commit.spread) == (1.25, "ms", (1.0, 2.0))
    assert (commit.floor, commit.better, commit.verdict) == (1.5, "lower", "floor")
    assert (batched.value, batched.unit) == (50_000.0, "commands/s")
    assert (batched.floor, batched.better) == (40_000.0, "higher")


def test_what_is_no_single_number_is_left_out() -> None:
    """Rather than taken for its first number."""
    turn = [figures.Figure("heartbeats", "9,000 /s, ratio 2.10, 50 us of CPU each")]

    assert measured.outcome("x", "y", [turn]).figures == ()


def test_every_scenario_can_be_run() -> None:
    """A line of the table that names nothing would be met after half an hour."""
    assert all(callable(scenario(name)) for name in SCENARIOS)
    assert set(USUAL) <= set(SCENARIOS)
