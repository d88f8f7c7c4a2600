"""Latencies as percentiles."""

import pytest

from bench.load.histogram import percentiles


def test_a_percentile_is_what_so_many_did_not_exceed() -> None:
    """With three digits: a thousandth may be missing."""
    found = percentiles(number / 1000 for number in range(1, 1001))

    assert found == pytest.approx(
        {"p50": 500e3, "p90": 900e3, "p99": 990e3, "p99.9": 999e3, "max": 1000e3},
        rel=1e-3,
    )


def test_nothing_has_no_percentiles() -> None:
    """And no zero that would be taken for one."""
    assert percentiles([]) == {}


def test_what_is_out_of_range_counts_at_its_end() -> None:
    """It may not be left out: it is the worst of all."""
    assert percentiles([0.0, 1e9])["max"] == pytest.approx(3600e6, rel=1e-3)
