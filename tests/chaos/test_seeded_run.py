"""A nemesis in the containers' own networks: every promise holds there, too.

The short form of `make chaos ARGS="--bed containers"`.
"""

import time
from pathlib import Path

import pytest

from tests.chaos.beds.containers import container_bed
from tests.chaos.evidence import Call, Ending, Fault, Look
from tests.chaos.run import cluster_settings, run_chaos

pytestmark = [pytest.mark.docker, pytest.mark.slow]

FAULTS_S = 60.0
LEAST_FAULTS = 5
LEAST_CALLS = 1_000


@pytest.mark.parametrize("size", [3, 5])
def test_a_seeded_run_of_faults_breaks_no_promise(size: int, tmp_path: Path) -> None:
    """Partitions both ways and one way, lost packets, starved processes, full disks."""
    seed = time.time_ns() % 2**32
    bed = container_bed(tmp_path, size=size, settings=lambda _: cluster_settings())
    with bed as running:
        outcome = run_chaos(
            running, seed=seed, seconds=FAULTS_S, folder=tmp_path / "run"
        )

    assert outcome.findings == []
    faults = [f for f in outcome.evidence.of(Fault) if not f.is_over]
    assert len(faults) >= LEAST_FAULTS
    assert len(outcome.evidence.of(Call)) >= LEAST_CALLS
    assert len(outcome.evidence.of(Ending)) == size
    assert all(look.tasks and look.open_files for look in outcome.evidence.of(Look))
