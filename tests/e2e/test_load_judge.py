"""The judgement over a load is worth something: it sees what is lost, back or new."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.process_cluster import ALONE, process_cluster
from tests.support.process_http import ask
from tests.support.process_load import Load

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Run a cluster of one."""
    folder: Path = tmp_path_factory.mktemp("judge")
    with process_cluster(folder, size=1) as cluster:
        yield cluster[ALONE].url


@pytest.fixture
def load(url: str) -> Load:
    """Return a load that is over, and true."""
    with Load([url], writers=2, leave_each=3) as done:
        done.wait_acknowledged(20)
    done.verify(url)
    return done


def register(url: str, name: str, host: str) -> None:
    """Register an address as the load does, behind its back."""
    body = {"name": name, "host": host, "port": 80, "ttl_seconds": 0}
    assert ask(url, "/register", method="POST", body=body).status == 200


def test_a_lost_registration_is_seen(url: str, load: Load) -> None:
    """Acknowledged, and not there."""
    service_id = next(iter(load.listed.values()))
    assert ask(url, f"/deregister/{service_id}", method="DELETE").status == 200

    with pytest.raises(AssertionError, match="acknowledged and lost: 1"):
        load.verify(url)


def test_a_registration_under_another_id_is_seen(url: str, load: Load) -> None:
    """Done twice: the second one hides the first."""
    register(url, *next(iter(load.listed)))

    with pytest.raises(AssertionError, match="acknowledged and lost: 1"):
        load.verify(url)


def test_one_that_came_back_is_seen(url: str, load: Load) -> None:
    """Deregistered, and there."""
    register(url, *next(iter(load.gone)))

    with pytest.raises(AssertionError, match="deregistered and back: 1"):
        load.verify(url)


def test_one_that_nobody_made_is_seen(url: str, load: Load) -> None:
    """Never asked for, and there."""
    name = next(iter(load.listed))[0]
    register(url, name, "10.255.255.255")

    with pytest.raises(AssertionError, match="nobody registered 1"):
        load.verify(url)
