"""Latencies as percentiles, by an HDR histogram: 3 digits hold from 1 us to an hour."""

from collections.abc import Iterable
from importlib import import_module
from typing import Protocol, cast

LEAST_US, GREATEST_US, DIGITS = 1, 3_600_000_000, 3
SHARES = {"p50": 50.0, "p90": 90.0, "p99": 99.0, "p99.9": 99.9}


class Histogram(Protocol):
    """What is used of the library's."""

    def record_value(self, value: int) -> bool:
        """Count one."""

    def get_value_at_percentile(self, percentile: float) -> int:
        """Return what this share did not exceed."""

    def get_max_value(self) -> int:
        """Return the greatest."""


def new_histogram() -> Histogram:
    """Return an empty one. SystemExit says what to install if the library is missing.

    It has no types, and the closed loops do without it: so it is imported here only.
    """
    try:
        module = import_module("hdrh.histogram")
    except ImportError as missing:
        raise SystemExit(
            "latencies need the package hdrhistogram, which is in the dev dependencies"
        ) from missing
    return cast(Histogram, module.HdrHistogram(LEAST_US, GREATEST_US, DIGITS))


def percentiles(seconds: Iterable[float]) -> dict[str, float]:
    """Return the percentiles of durations, in microseconds; empty if there are none."""
    histogram = new_histogram()
    count = 0
    for count, value_s in enumerate(seconds, 1):  # noqa: B007  # the last one counts
        value_us = round(value_s * 1e6)
        histogram.record_value(min(max(value_us, LEAST_US), GREATEST_US))
    if not count:
        return {}
    found = {
        name: float(histogram.get_value_at_percentile(share))
        for name, share in SHARES.items()
    }
    return found | {"max": float(histogram.get_max_value())}
