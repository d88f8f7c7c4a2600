"""Real replicas, real faults, real clients: every promise holds, as every checker says.

The short form of `make chaos`; its seed is printed when it fails.
"""

import time
from pathlib import Path

import pytest

from tests.chaos.beds.processes import process_bed
from tests.chaos.evidence import Call, Ending, Fault
from tests.chaos.run import PAGE, cluster_settings, run_chaos

pytestmark = pytest.mark.e2e

FAULTS_S = 40.0
LEAST_FAULTS = 4
LEAST_CALLS = 1_000


def test_a_seeded_run_of_faults_breaks_no_promise(tmp_path: Path) -> None:
    """What was acknowledged stays, who lives is listed, and no answer is a lie."""
    seed = time.time_ns() % 2**32
    bed = process_bed(tmp_path, settings=lambda _: cluster_settings())
    with bed as running:
        outcome = run_chaos(
            running, seed=seed, seconds=FAULTS_S, folder=tmp_path / "run"
        )

    assert outcome.findings == []
    faults = [f for f in outcome.evidence.of(Fault) if not f.is_over]
    assert len(faults) >= LEAST_FAULTS
    assert len(outcome.evidence.of(Call)) >= LEAST_CALLS
    assert len(outcome.evidence.of(Ending)) == len(running.node_ids)
    assert (tmp_path / "run" / PAGE).stat().st_size > 0
