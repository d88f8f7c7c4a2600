"""The lock files and the package data say the same everywhere."""

import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parent.parent
LOCKS = sorted(TOP.glob("requirements*.lock"))


def pins(lock: Path) -> dict[str, str]:
    """Read name and version of each pinned package."""
    return dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", lock.read_text(), re.MULTILINE))


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_pins_by_hash_and_names_no_index(lock: Path) -> None:
    """It must install from any index, and only what was locked."""
    text = lock.read_text()
    packages = re.split(r"^(?=[a-z0-9._-]+==)", text, flags=re.MULTILINE)[1:]

    assert packages
    assert all("--hash=sha256:" in package for package in packages)
    assert "://" not in text
    assert not re.search(r"--(index-url|find-links|trusted-host)", text)


def test_the_locks_agree() -> None:
    """All go into one environment: two versions of a package would fight."""
    locked: dict[str, set[str]] = {}
    for lock in LOCKS:
        for name, version in pins(lock).items():
            locked.setdefault(name, set()).add(version)

    assert {name for name, versions in locked.items() if len(versions) > 1} == set()


def test_pysyncobj_is_the_release_that_is_mended() -> None:
    """cluster/raft works on private names of exactly this one."""
    assert pins(TOP / "requirements.lock")["pysyncobj"] == "0.3.17"


def test_the_base_is_the_client_library_alone() -> None:
    """A client must not install a Raft library to look up an address."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    base = {re.split(r"[<>=]", line)[0] for line in project["dependencies"]}

    assert base == {"aiohttp", "msgspec"}
