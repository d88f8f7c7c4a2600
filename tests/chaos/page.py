"""What a run was, as one HTML file: a person would rather look than read.

It needs nothing from elsewhere, reads well in light and dark, and stays small however
long the run was.
"""

from collections import Counter
from collections.abc import Iterable, Sequence

from bench.figures import Figure
from tests.chaos.evidence import Evidence, Fault
from tests.chaos.findings import Finding
from tests.chaos.moments import began_s, ended_s, fault_spans
from tests.chaos.page_parts import STYLE, Markup, badge, clock, join, table, tag
from tests.chaos.page_plot import plot

SHOWN_FINDINGS = 200
SHOWN_FAULTS = 3_000


def page(
    evidence: Evidence,
    findings: Sequence[Finding],
    figures: Iterable[Figure],
    *,
    checkers: Iterable[str],
    command: str,
    story: Sequence[str] = (),
) -> str:
    """Return the page; ``story`` is the timeline of the findings."""
    run = evidence.run
    title = f"Chaos run, seed {run.seed}"
    count = len(findings)
    verdict = badge(_count(count), is_good=not count)
    faults = sum(not fault.is_over for fault in evidence.of(Fault))
    took = clock(ended_s(evidence) - began_s(evidence))
    body = [
        tag("h1", title, " · ", verdict),
        tag(
            "p",
            f"{faults} faults in {took} on {run.bed}, replicas {', '.join(run.nodes)}; "
            f"time to live {run.ttl_s:g} s",
        ),
        tag("p", "Again: ", tag("code", command)),
        tag("h2", "What happened"),
        plot(evidence, findings),
        tag("h2", "Verdicts"),
        _verdicts(findings, checkers),
        *_told(evidence, findings, story),
        tag("h2", "Figures"),
        _figures(figures),
        tag("h2", "Faults"),
        _faults(evidence),
    ]
    head = (
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", title),
        tag("style", STYLE),
    )
    document = tag("html", tag("head", *head), tag("body", *body), lang="en")
    return join([Markup("<!doctype html>\n"), document, Markup("\n")])


def _count(findings: int) -> str:
    return f"{findings or 'no'} finding{'s' * (findings != 1)}"


def _verdicts(findings: Sequence[Finding], checkers: Iterable[str]) -> Markup:
    counts = Counter(finding.checker for finding in findings)
    names = dict.fromkeys((*checkers, *counts))  # each once, in their order
    return table(
        ("checker", "verdict"),
        (
            (name, badge(_count(counts[name]) if counts[name] else "held",
                         is_good=not counts[name]))
            for name in names
        ),
    )  # fmt: skip


def _told(
    evidence: Evidence, findings: Sequence[Finding], story: Sequence[str]
) -> list[Markup]:
    if not findings:
        return []
    zero_s = began_s(evidence)
    rows = [
        (
            str(number),
            clock(finding.at_s - zero_s) if finding.at_s else "end",
            finding.checker,
            finding.text,
        )
        for number, finding in enumerate(findings[:SHOWN_FINDINGS], 1)
    ]
    left_out = len(findings) - len(rows)
    more = [tag("p", f"and {left_out} more")] if left_out else []
    lines = tag("pre", "\n".join(story))
    told = [tag("details", tag("summary", "the story of each"), lines)] if story else []
    heading = tag("h2", "Findings")
    return [heading, table(("", "at", "checker", "finding"), rows), *more, *told]


def _figures(figures: Iterable[Figure]) -> Markup:
    rows = []
    for figure in figures:
        met = figure.met
        verdict = (
            Markup("")
            if met is None
            else badge("met" if met else "missed", is_good=met)
        )
        rows.append((figure.name, figure.value, figure.target, verdict))
    return table(("figure", "result", "demanded", ""), rows)


def _faults(evidence: Evidence) -> Markup:
    zero_s = began_s(evidence)
    spans = sorted(fault_spans(evidence), key=lambda span: span[1].began_s)
    rows = [
        (
            clock(fault.began_s - zero_s),
            node_id,
            fault.verb,
            f"{over_s - fault.began_s:.1f} s",
            fault.detail,
        )
        for node_id, fault, over_s in spans[:SHOWN_FAULTS]
    ]
    told = table(("at", "replica", "fault", "for", "episode"), rows)
    return tag("details", tag("summary", f"all {len(spans)}"), told)
