"""What needs docker: left out where no engine answers, but never where CI=true."""

import os
from collections.abc import Iterator

import pytest

from tests.chaos.beds import container_engine
from tests.chaos.beds.containers import ContainerBed, container_bed
from tests.chaos.container_asking import SERVICE
from tests.support.process_duties import listed

NO_ENGINE = "no docker engine answers"
_left_out = pytest.StashKey[int]()


@pytest.hookimpl(trylast=True)  # after -m has chosen: who wants none needs no engine
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> None:
    """Leave out the tests that need an engine, if there is none."""
    wanting = [item for item in items if item.get_closest_marker("docker")]
    if not wanting or container_engine.is_there():
        return
    if os.environ.get("CI") == "true":
        raise pytest.UsageError(f"{NO_ENGINE}, and CI must not leave its tests out")
    items[:] = [item for item in items if item not in wanting]
    config.hook.pytest_deselected(items=wanting)
    config.stash[_left_out] = len(wanting)


def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """That there was nothing else to run is no failure."""
    nothing = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
    if nothing and _left_out in session.config.stash:
        session.exitstatus = pytest.ExitCode.OK


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Say what was left out."""
    count = config.stash.get(_left_out, 0)
    if count:
        line = f"{NO_ENGINE}: {count} tests that need one were left out"
        terminalreporter.write_line(line, yellow=True)


@pytest.fixture(scope="module")
def bed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ContainerBed]:
    """Run three replicas in containers for the tests of a module."""
    with container_bed(tmp_path_factory.mktemp("bed")) as running:
        yield running


@pytest.fixture
def healed(bed: ContainerBed) -> Iterator[None]:
    """Put right what a test has done, and judge: nothing acknowledged is lost."""
    before = listed(bed.url("a"), SERVICE)
    yield
    bed.heal()
    for node_id in bed.node_ids:
        bed.resume(node_id)
        bed.feed(node_id)
        bed.mend_disk(node_id)
        bed.start(node_id)
    bed.wait_ready()
    for node_id in bed.node_ids:
        assert listed(bed.url(node_id), SERVICE) >= before
