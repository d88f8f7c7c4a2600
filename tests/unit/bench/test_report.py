"""The page: whole, safe, with a picture for all that can be drawn.

It needs matplotlib, which is in the dependency group dev.
"""

import builtins
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from types import ModuleType

import matplotlib as mpl
import msgspec
import pytest

from bench import plots
from bench.report import page, spread, verdict
from bench.results import figure, ratio
from tests.unit.bench import runs

mpl.use("svg")


class Pairs(HTMLParser):
    """Fails on an element that is closed by another."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: object) -> None:
        """Remember it, unless it has no end."""
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        """Nothing is open after it."""

    def handle_endtag(self, tag: str) -> None:
        """It must be the last one opened."""
        assert self.open.pop() == tag


def full_page() -> str:
    """Return a page with every kind of picture."""
    judged = ratio("read / raw", [0.9, 0.91], [1.0, 1.0], aim=0.92, floor=0.85)
    missed = figure("p99 <of> writes", [60.0], "ms", floor=50.0, better="lower")
    curve = [runs.growing(1_000, 3.0), runs.growing(10_000, 1.5)]
    curve.append(runs.growing(100_000, 1.2))
    return page(runs.run(runs.outcome(judged, missed, *curve)))


def test_a_page_holds_every_figure_with_its_verdict() -> None:
    """It is what remains of a run for those who were not there."""
    text = full_page()

    for wanted in ("read / raw", "0.905 x", "≥ 0.920", "≥ 0.850", "floor held"):
        assert wanted in text
    assert "missed" in text
    assert "Not here: nginx" in text
    assert "abc123" in text


def test_a_page_says_how_the_run_was_made() -> None:
    """Who reads it was not there; and may want to do the same."""
    text = page(msgspec.structs.replace(runs.run(), made=runs.made()))

    for wanted in ("discovery --folder", "by wrk", "nginx/1.22.1", "average 3.3"):
        assert wanted in text
    assert "/a <b>" not in text
    assert "only show that it works" not in text


def test_a_page_of_a_quick_run_says_what_its_figures_are_worth() -> None:
    """In its first lines."""
    quick = msgspec.structs.replace(runs.run(), made=runs.made(is_quick=True))

    assert "one turn: figures only show that it works" in page(quick)


def test_a_note_stands_beside_its_figure() -> None:
    """A figure that is not judged says why."""
    noted = msgspec.structs.replace(figure("x", [1.0], ""), note="why not")

    assert "x (why not)" in page(runs.run(runs.outcome(noted)))


def test_a_page_needs_nothing_from_elsewhere() -> None:
    """It is sent by mail and kept for years."""
    text = full_page()
    links = re.findall(r'(?:src|href)="([^"]*)"', text)

    assert [link for link in links if not link.startswith("#")] == []
    assert "<script" not in text
    assert "@import" not in text


def test_elements_are_closed_in_order_and_texts_escaped() -> None:
    """Names come from anywhere, also from the command line."""
    text = full_page()
    pairs = Pairs()
    pairs.feed(text)

    assert pairs.open == []
    assert "<bare>" not in text
    assert "<of>" not in text


def test_every_kind_of_picture_is_drawn() -> None:
    """Rates, latencies, seconds and growth."""
    text = full_page()

    assert text.count("<svg") == 4
    for title in ("Answers per second", "Latency by", "over time", "Growth: mem"):
        assert title in text


def test_ids_of_pictures_differ() -> None:
    """In one page a clip of the first would cut the second."""
    ids = re.findall(r'<clipPath id="([^"]*)"', full_page())

    assert len(ids) == len(set(ids))


def test_what_has_no_data_has_no_picture() -> None:
    """One side alone is no comparison, two points are no curve."""
    empty = type(runs.outcome())("x", "y", (), (runs.growing(10, 1.0),) * 2, ())

    assert plots.pictures(empty) == []


def test_the_same_run_gives_the_same_page() -> None:
    """So that two reports can be told apart by what they say."""
    assert full_page() == full_page()


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """All but the report works without it, so who meets this must be told why."""
    imported = builtins.__import__

    def refuse(
        name: str,
        globals: Mapping[str, object] | None = None,
        locals: Mapping[str, object] | None = None,
        fromlist: tuple[str, ...] = (),
        level: int = 0,
    ) -> ModuleType:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return imported(name, globals, locals, fromlist, level)

    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(plots.PlotsMissing, match="matplotlib"):
        plots.pictures(runs.outcome())


def test_growth_takes_the_points_in_order() -> None:
    """Whatever the order in which they were measured."""
    points = [runs.growing(n, float(n)) for n in (100, 10, 1_000)]
    other = figure("p99 at 3 o'clock", [1.0], "ms")

    curves = plots.growth([*points, other])

    assert list(curves) == ["memory per instance"]
    assert [count for count, _ in curves["memory per instance"]] == [10, 100, 1_000]


def test_words_of_a_figure() -> None:
    """A single turn has no range, a figure without limits no verdict."""
    assert spread(figure("x", [1.0], "")) == ""
    assert spread(figure("x", [1.0, 2.0], "")) == "(1.00 to 2.00)"
    assert verdict(figure("x", [1.0], "")) == ""
    assert verdict(figure("x", [1.0], "", aim=0.5)) == "aim met"
