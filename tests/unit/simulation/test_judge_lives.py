"""What the judge demands across the lives and the versions of a host."""

from dataclasses import replace

import pytest

from cluster.config import ClusterConfig
from cluster.describe import before_start
from cluster.state_machine import UnknownCommand
from cluster.status import Status
from tests.simulation.judge import Judge
from tests.simulation.timeline import Timeline
from tests.simulation.versions import NEW, OLD, marked, understood

BEFORE = before_start(ClusterConfig("a", ("a", "b", "c")), stopping=False)
STOPPED = "entry 9 cannot be applied: upgrade this replica"


def judge() -> Judge:
    """Return a judge who has seen nothing."""
    return Judge(Timeline(lambda: 0.0), lambda: None)


def found(it: Judge) -> str:
    """Return what was found so far, and forget it."""
    violation, it.violation = it.violation, None
    return violation or ""


def at(index: int, *, caught_up: bool) -> Status:
    """Return the status of replica a at an index."""
    return replace(BEFORE, applied_index=index, caught_up=caught_up)


@pytest.mark.parametrize("is_seen_before", [True, False])
def test_who_has_caught_up_is_not_behind_its_former_life(
    *, is_seen_before: bool
) -> None:
    """I7: what a host has shown may not vanish, once it serves again."""
    it = judge()
    it.on_status(1, at(20, caught_up=True))
    if is_seen_before:
        it.on_status(2, at(15, caught_up=False))
    assert it.violation is None
    it.on_status(2, at(19, caught_up=True))

    assert it.violation == ("a is caught up at 19, but showed 20 in a former life")


def test_who_is_still_catching_up_may_be_behind() -> None:
    """It says so, and serves stale reads only."""
    it = judge()
    it.on_status(1, at(20, caught_up=True))
    it.on_status(2, at(5, caught_up=False))
    it.on_status(2, at(20, caught_up=True))

    assert it.violation is None


def test_an_empty_disk_has_shown_nothing() -> None:
    """It cannot know what it was."""
    it = judge()
    it.on_status(1, at(20, caught_up=True))
    it.on_wiped("a")
    it.on_status(2, at(5, caught_up=True))

    assert it.violation is None


def test_the_schema_depends_on_the_index_alone() -> None:
    """Replicas that differ would take different commands."""
    it = judge()
    it.on_schema("a", 5, OLD, oldest_version=NEW)
    it.on_schema("a", 6, NEW, oldest_version=NEW)
    it.on_schema("b", 5, OLD, oldest_version=NEW)
    assert found(it) == ""
    it.on_schema("b", 6, OLD, oldest_version=NEW)

    assert "b has schema 1 at 6" in found(it)


def test_the_schema_never_goes_back() -> None:
    """Not even on a replica that was never asked at that index."""
    it = judge()
    it.on_schema("a", 6, NEW, oldest_version=NEW)
    it.on_schema("c", 9, OLD, oldest_version=NEW)

    assert "c has schema 1 at 9" in found(it)


def test_the_schema_is_raised_when_all_know_it() -> None:
    """An old version would have to stop."""
    it = judge()
    it.on_schema("a", 6, NEW, oldest_version=OLD)

    assert it.violation == "the schema is raised to 2, not all know it"


def test_an_old_version_may_stop_when_all_have_left_it_behind() -> None:
    """By the right words; nobody else may, and not before."""
    it = judge()
    it.on_schema("a", 6, NEW, oldest_version=NEW)
    it.ended("b", OLD, STOPPED)
    assert found(it) == ""
    it.ended("b", NEW, STOPPED)
    assert "fatal" in found(it)
    it.ended("b", OLD, "the disk failed")
    assert "fatal" in found(it)
    early = judge()
    early.ended("b", OLD, STOPPED)

    assert "fatal" in found(early)


def test_a_marked_command_is_known_to_the_new_version_alone() -> None:
    """And is to the machine what it was before."""
    command = marked(b"x")

    assert understood(command, NEW) == b"x"
    assert understood(b"x", OLD) == b"x"
    with pytest.raises(UnknownCommand):
        understood(command, OLD)
