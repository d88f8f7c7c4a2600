"""A recorded bed: who is touched by what, and from when to when."""

from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos.evidence import Evidence, Fault
from tests.chaos.links import Links
from tests.unit.chaos_run.fake_bed import FakeBed, recorded

THREE = ("a", "b", "c")
FIVE = ("a", "b", "c", "d", "e")


def cut(links: Links, node_id: str, *others: str, inbound: bool = True) -> None:
    """Cut a replica from others, both ways or what it sends alone."""
    links.cut(node_id, others, inbound=inbound, outbound=True)


def test_who_is_cut_off_is_touched_and_the_majority_is_not() -> None:
    """Whoever kept a majority owes the clients what it always owes."""
    links = Links(FIVE)
    cut(links, "b", "a", "c", "d", "e")
    assert links.touched() == ("b",)
    cut(links, "d", "a", "b", "c", "e", inbound=False)
    assert links.touched() == ("b", "d")


def test_without_a_majority_all_are_touched() -> None:
    """Everybody alone: nobody can be asked for anything."""
    links = Links(THREE)
    cut(links, "a", "b", "c")
    cut(links, "b", "a", "c")

    assert links.touched() == THREE


def test_a_bridge_touches_both_its_sides() -> None:
    """Either side may be the one that leads with the one in the middle."""
    links = Links(FIVE)
    cut(links, "a", "d", "e")
    cut(links, "b", "d", "e")

    assert links.touched() == ("a", "b", "d", "e")


def test_healed_links_touch_nobody() -> None:
    """A later cut starts from whole links."""
    links = Links(THREE)
    cut(links, "a", "b", "c")
    links.heal()

    assert links.touched() == ()


def test_a_fault_is_over_when_its_replica_is_ready(tmp_path: Path) -> None:
    """Not when `start` returns: what it answers until then is no broken promise."""
    bed, recorder = recorded(FakeBed(), tmp_path)
    with closing(recorder):
        bed.episode = "test"
        bed.kill("b")
        bed.start("b")
        (killed,) = recorder.evidence.of(Fault)
        assert bed.touched == {"b"}
        bed.put_right()

    _, started = recorder.evidence.of(Fault)
    assert (killed.verb, killed.targets, killed.is_over) == ("kill", ("b",), False)
    assert (started.verb, started.targets, started.is_over) == ("start", ("b",), True)
    assert killed.done_s <= started.began_s <= started.done_s
    assert bed.touched == set()
    assert bed.down == set()


def test_each_verb_is_on_disk_at_once(tmp_path: Path) -> None:
    """A run that dies leaves what it did."""
    bed, recorder = recorded(FakeBed(), tmp_path)
    with closing(recorder):
        bed.partition("a", ["b", "c"], outbound=False)
        bed.step_clock("c", seconds=-7_200)
        found = Evidence.read(tmp_path / "evidence.jsonl").of(Fault)

    assert [(f.verb, f.targets, f.detail) for f in found] == [
        ("partition", ("a",), "a from b c, inbound"),
        ("step_clock", ("c",), "-2.0 h"),
    ]


def test_all_is_put_right_in_an_order_that_works(tmp_path: Path) -> None:
    """A replica starts when its disk is whole and its links are; then all are ready."""
    fake = FakeBed()
    bed, recorder = recorded(fake, tmp_path)
    with closing(recorder):
        bed.break_disk("a")
        bed.partition("a", ["b", "c"])
        bed.pause("b")
        harm = len(fake.done)
        bed.put_right()

    assert fake.done[harm:] == [
        ("heal", ""),
        ("resume", "b"),
        ("mend_disk", "a"),
        ("start", "a"),
        ("wait_ready", ""),
    ]
    ended = {(f.verb, f.targets) for f in recorder.evidence.of(Fault) if f.is_over}
    assert ended == {
        ("heal", ("a",)),
        ("resume", ("b",)),
        ("mend_disk", ("a",)),
        ("start", ("a",)),
    }


def test_a_majority_is_never_wiped(tmp_path: Path) -> None:
    """The README promises nothing to who destroys more copies than can be spared."""
    bed, recorder = recorded(FakeBed(), tmp_path)
    with closing(recorder):
        bed.kill("a")
        bed.wipe("a")
        bed.kill("b")
        with pytest.raises(ValueError, match="breaks what the cluster needs"):
            bed.wipe("b")
        bed.put_right()
        bed.kill("b")
        bed.wipe("b")
