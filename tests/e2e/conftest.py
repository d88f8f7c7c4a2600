"""What the end-to-end tests share: a running cluster, and where figures are told."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.process_cluster import ProcessCluster, process_cluster

Tell = Callable[[str], None]


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[ProcessCluster]:
    """Run three replicas that share a key, until they are ready."""
    with process_cluster(tmp_path, with_key=True) as running:
        yield running


@pytest.fixture
def tell(capsys: pytest.CaptureFixture[str]) -> Tell:
    """Return a function that shows a figure, also when the test passes."""

    def show(line: str) -> None:
        with capsys.disabled():
            sys.stdout.write(f"\n  {line}")

    return show
