"""The first start on a machine where nothing was ever set."""

from pathlib import Path

import pytest

from tests.support.process_cluster import ALONE, process_cluster

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_without_a_data_directory_the_default_is_made(tmp_path: Path) -> None:
    """`registry serve`, and nothing else: the user's state folder may not exist yet."""
    home = tmp_path / "home"
    home.mkdir()
    with process_cluster(tmp_path, size=1, start=False) as alone:
        settings = alone[ALONE].settings
        del settings["SERVICE_REGISTRY_DATA_DIR"]
        settings["HOME"] = str(home)
        settings["XDG_STATE_HOME"] = ""
        alone.start()

    assert list((home / ".local/state/service-registry").glob("wal-*.log"))
