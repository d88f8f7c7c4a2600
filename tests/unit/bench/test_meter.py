"""CPU time, and whether the load was the limit of what was measured."""

import os
import time

import pytest

from bench.figures import cpu_s
from bench.load.meter import CpuMeter, wanted_s
from bench.scenarios.ratios import rates
from bench.scenarios.sides import Turns
from tests.unit.bench import runs


def test_the_cpu_time_of_a_process_is_told_exactly() -> None:
    """An idle replica uses less in a short turn than one tick of /proc."""
    before_s = time.process_time()
    told_s = cpu_s([os.getpid()])

    assert before_s <= told_s <= time.process_time()


def test_what_is_used_while_idle_is_taken_off() -> None:
    """For as long as was measured."""
    whole, less = CpuMeter([os.getpid()]), CpuMeter([os.getpid()], idle_share=1e6)
    whole_s, less_s = whole.used_s(), less.used_s()

    assert whole_s is not None
    assert less_s is not None
    assert whole_s >= 0.0 > less_s


def test_a_process_that_runs_wanted_a_core() -> None:
    """It has run, so it is more than nothing."""
    assert wanted_s([os.getpid()]) > 0.0


def test_of_processes_elsewhere_nothing_is_told() -> None:
    """A cluster that was given by URL."""
    meter = CpuMeter(())

    assert (meter.used_s(), meter.wanted_s()) == (None, None)


def turns(*, load: float, ours: float | None, raw: float | None) -> Turns:
    """Return a turn of two sides, with the shares in which each had work to do."""
    found = Turns()
    for side, server in (("ours", ours), ("raw", raw)):
        found.add(runs.sample(side), load_share=load, server_share=server)
    return found


@pytest.mark.parametrize(
    ("load", "ours", "raw", "is_judged"),
    [
        (0.99, 0.99, 0.99, True),
        (0.60, 0.99, 0.99, True),
        (0.99, 0.99, 0.70, False),
        (0.99, 0.70, 0.99, False),
        (0.60, 0.70, 0.70, True),
        (0.99, None, None, True),
    ],
)
def test_a_rate_that_the_load_limited_is_told_and_not_judged(
    load: float, ours: float | None, raw: float | None, is_judged: bool
) -> None:
    """It says nothing of the servers: they waited for it, and it never for them."""
    found = rates(turns(load=load, ours=ours, raw=raw), "read", "ours", "raw", (2, 1))

    assert ("the load was the limit" not in found.note) == is_judged
    assert (found.floor is not None) == is_judged
