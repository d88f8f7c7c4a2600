"""PySyncObj itself: the exact release that the repairs were made for, or none."""

import random
import re
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pysyncobj.syncobj
import pytest
from pysyncobj.version import VERSION

from cluster.raft import library
from cluster.raft.library import missing_names


def module(**globals_: object) -> ModuleType:
    """Return a module with ``globals_``."""
    made = ModuleType("other")
    vars(made).update(globals_)
    return made


def test_the_installed_release_is_the_one_that_was_repaired() -> None:
    """Pinned by hash, and checked at start all the same."""
    assert missing_names(pysyncobj.syncobj, VERSION, optimised=False) == []


def test_another_version_is_named() -> None:
    """Private names may be the same and mean something else."""
    wrong = missing_names(pysyncobj.syncobj, "0.3.18", optimised=False)

    assert wrong == ["its version is 0.3.18"]


def test_python_without_asserts_is_refused() -> None:
    """The library checks some of its arguments by assert."""
    wrong = missing_names(pysyncobj.syncobj, "0.3.17", optimised=True)

    assert wrong == ["python -O strips the checks that it relies on"]


def test_everything_that_is_missing_is_named() -> None:
    """One message, so that one look is enough."""

    class SyncObj:
        def __init__(self) -> None:
            self._SyncObj__raftLog: Any = None

    other = module(SyncObj=SyncObj, random=random, pickle=SimpleNamespace())
    wrong = missing_names(other, "0.3.17", optimised=False)

    assert "__raftLog is missing" not in wrong
    assert "__raftNextIndex is missing" in wrong
    assert "__setCurrentTerm() is missing" in wrong
    assert "global createJournal is missing" in wrong
    assert "global random is missing" not in wrong


def test_the_librarys_pickle_is_gone() -> None:
    """Nothing that arrives is ever unpickled, whatever way it takes."""
    library.install()

    for name in ("loads", "load", "dumps", "to_bytes"):
        with pytest.raises(RuntimeError, match="pickle is not used"):
            getattr(pysyncobj.syncobj.pickle, name)(b"")


def test_the_clock_and_the_dice_are_ours() -> None:
    """Whole clusters run in virtual time, and one seed is one run."""
    library.install(lambda: 123.5, random.Random(7))

    assert library.now_s() == 123.5
    assert library.random_unit() == random.Random(7).random()
    library.install()
    assert library.now_s() != 123.5


def test_every_private_name_that_we_touch_is_checked_at_the_start() -> None:
    """And none is checked for nothing."""
    folder = Path(library.__file__).parent
    sources = "".join(file.read_text() for file in folder.glob("*.py"))
    touched = set(re.findall(r"\b_SyncObj__([A-Za-z]+)", sources))

    assert touched == library.ATTRIBUTES | library.METHODS
