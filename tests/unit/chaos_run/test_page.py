"""The page: well-formed, self-contained, escaped, small however long the run was."""

from html.parser import HTMLParser
from itertools import chain

from bench.figures import Figure
from tests.chaos.evidence import Evidence
from tests.chaos.findings import Finding
from tests.chaos.page import page
from tests.chaos.page_parts import BUCKETS, Markup, buckets, tag
from tests.unit.chaos_run.made import (
    BEGAN_S,
    evidence,
    fault,
    look,
    read,
    steady,
    write,
)

EVIL = '<script src="https://evil">&"'
FIGURE = Figure("memory", "100 MiB", "<= 1.2", met=False)
MOST_BYTES = 3_000_000


class Elements(HTMLParser):
    """Reads a page; every element that is opened must be closed, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.names: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        self.names.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]
        if tag not in ("meta", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """See HTMLParser."""
        self.names.append(tag)
        self.attributes += [(key, value or "") for key, value in attrs]

    def handle_endtag(self, tag: str) -> None:
        """See HTMLParser."""
        assert self.open
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """See HTMLParser."""
        self.texts.append(data)


def made(seen: Evidence, *findings: Finding, story: tuple[str, ...] = ()) -> str:
    """Return the page of a run."""
    return page(
        seen,
        findings,
        [FIGURE],
        checkers=("none_lost", "no_empty_answer"),
        command="make chaos MINUTES=1 SEED=7",
        story=story,
    )


def whole() -> Evidence:
    """Return a run with a killed leader."""
    return evidence(
        steady(20.0, gaps=[(5.0, 5.6)]),
        fault("kill", "a", at_s=5.0, over_s=8.0, detail="the leader: kill"),
    )


def test_it_is_well_formed() -> None:
    """Browsers mend what is broken, each in its way."""
    elements = Elements(made(whole(), Finding("none_lost", BEGAN_S + 5.0, "lost")))

    assert elements.open == []
    assert {"svg", "table", "title", "style"} <= set(elements.names)


def test_it_needs_nothing_from_elsewhere() -> None:
    """It is kept and sent around as one file."""
    elements = Elements(made(whole()))

    assert not {"script", "link", "img", "iframe"} & set(elements.names)
    assert not {"src", "href"} & {key for key, _ in elements.attributes}
    assert "url(" not in made(whole())


def test_all_that_it_tells_is_there() -> None:
    """Lanes, faults, verdicts, figures, and how to have it again."""
    elements = Elements(made(whole(), Finding("none_lost", BEGAN_S + 5.0, "x is lost")))
    texts = "\n".join(elements.texts)

    for told in (
        "Chaos run, seed 7",
        "✗ 1 finding",
        "make chaos MINUTES=1 SEED=7",
        "kill a at 0:05.0 for 3.0 s; the leader: kill",
        "a leads from 0:00.5",
        "x is lost",
        "✓ held",
        "✗ missed",
        "100 MiB",
    ):
        assert told in texts, told


def test_text_from_the_run_is_escaped() -> None:
    """What a replica answered must not become a part of the page."""
    seen = evidence(steady(5.0), fault("kill", "a", at_s=1.0, over_s=2.0, detail=EVIL))
    text = made(seen, Finding("none_lost", 0.0, EVIL), story=(EVIL,))
    elements = Elements(text)

    assert "script" not in elements.names
    assert "".join(elements.texts).count(EVIL) >= 3
    assert tag("p", EVIL, title=EVIL).count("<") == 2
    assert tag("p", Markup("<b></b>")) == "<p><b></b></p>"


def test_a_run_without_anything_has_a_page() -> None:
    """One that dies early is shown as well."""
    assert Elements(made(evidence())).open == []


def test_an_hour_is_still_a_small_file() -> None:
    """Calls are counted in buckets, not drawn one by one."""
    hour_s = 3_600
    calls = [write(n / 20) for n in range(20 * hour_s)]
    reads = [read(n / 20) for n in range(20 * hour_s)]
    looks = [look(n / 2, "abc"[n // 20 % 3], "leader", term=n // 20)
             for n in range(2 * hour_s)]  # fmt: skip
    faults = chain.from_iterable(
        fault("kill", "abc"[n % 3], at_s=8.0 * n, over_s=8.0 * n + 4.0, detail="x" * 30)
        for n in range(1, hour_s // 8)
    )
    findings = [Finding("x", BEGAN_S + n, "text " * 20) for n in range(1_000)]
    text = made(evidence(calls, reads, looks, faults), *findings)

    assert len(text.encode()) < MOST_BYTES
    assert Elements(text).open == []


def test_buckets_hold_every_call_once() -> None:
    """Neither the first nor the last one is lost at an edge."""
    calls = [write(n / 10) for n in range(601)]
    length_s, found = buckets(calls, BEGAN_S, BEGAN_S + 60.0)

    assert sum(bucket.writes for bucket in found) == len(calls)
    assert len(found) <= BUCKETS + 1
    assert length_s == 0.5
