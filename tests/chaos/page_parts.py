"""The parts of the page: elements whose text is always escaped, its style, its buckets.

Everything that gets into the page goes through `tag`, so nothing gets in unescaped.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from html import escape

from tests.chaos.evidence import DONE, Call
from tests.chaos.moments import is_acknowledged, is_plain_read, percentile

VOID = ("meta", "br", "rect", "line", "path")
"""Elements without content."""
BUCKETS = 900
"""At most; a longer run has longer ones, so a page has a bounded size."""
LEAST_BUCKET_S = 0.5


class Markup(str):
    """Text that is HTML already."""

    __slots__ = ()


def tag(name: str, /, *children: str, **attributes: object) -> Markup:
    """Return an element. Children that are no `Markup` are text.

    An attribute's underscores stand for hyphens; the last one, of ``class_``, for none.
    """
    told = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escape(str(value))}"'
        for key, value in attributes.items()
    )
    if name in VOID and not children:
        return Markup(f"<{name}{told}>" if name in VOID[:2] else f"<{name}{told}/>")
    return Markup(f"<{name}{told}>{join(children)}</{name}>")


def join(children: Iterable[str]) -> Markup:
    """Return them one after the other."""
    return Markup("".join(c if isinstance(c, Markup) else escape(c) for c in children))


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], **attributes: object
) -> Markup:
    """Return a table of texts (or markups)."""
    first = tag("thead", tag("tr", *(tag("th", name) for name in head)))
    body = (tag("tr", *(tag("td", cell) for cell in row)) for row in rows)
    return tag(
        "div", tag("table", first, tag("tbody", *body), **attributes), class_="wide"
    )


def badge(text: str, *, is_good: bool) -> Markup:
    """Return a verdict: a sign and a word, not a colour alone."""
    sign = "✓" if is_good else "✗"
    return tag("span", f"{sign} {text}", class_="good" if is_good else "bad")


def clock(seconds: float) -> str:
    """Return a time since the begin as m:ss.s."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{minutes:.0f}:{rest:04.1f}"


@dataclass(slots=True)
class Bucket:
    """What was done in a short time."""

    from_s: float
    writes: int = 0
    reads: int = 0
    latencies_ms: list[float] = field(default_factory=list)
    """Of plain reads."""

    def latency_ms(self, share: float) -> float:
        """Return a percentile; nan without a read."""
        return percentile(self.latencies_ms, share)


def buckets(
    calls: Iterable[Call], from_s: float, to_s: float
) -> tuple[float, list[Bucket]]:
    """Return how long a bucket is, and all of them; times since ``from_s``."""
    took_s = max(to_s - from_s, LEAST_BUCKET_S)
    length_s = max(LEAST_BUCKET_S, took_s / BUCKETS)
    found = [Bucket(i * length_s) for i in range(int(took_s / length_s) + 1)]
    for call in calls:
        number = int((call.returned_s - from_s) / length_s)
        if call.outcome != DONE or not 0 <= number < len(found):
            continue
        bucket = found[number]
        bucket.writes += is_acknowledged(call)
        bucket.reads += call.op == "list"
        if is_plain_read(call):
            bucket.latencies_ms.append(1e3 * (call.returned_s - call.invoked_s))
    for bucket in found:
        bucket.latencies_ms.sort()
    return length_s, found


STYLE = Markup("""
:root { color-scheme: light dark; --paper: #fcfcfb; --card: #ffffff; --ink: #1b1b1a;
  --soft: #5f5e5a; --rule: #e2e1dc; --process: #c77700; --links: #2a6fd0;
  --disk: #7a4cc2; --clock: #0f8a72; --low: #2a6fd0; --high: #c77700;
  --good: #17703a; --bad: #c02626; }
@media (prefers-color-scheme: dark) { :root { --paper: #191918; --card: #222221;
  --ink: #ecebe7; --soft: #a5a39c; --rule: #3a3936; --process: #f0a532;
  --links: #6ba6f5; --disk: #b18cf0; --clock: #40c4a6; --low: #6ba6f5;
  --high: #f0a532; --good: #5fc487; --bad: #ff7b72; } }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 24px; max-width: 1400px; background: var(--paper);
  color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 17px; margin: 32px 0 8px; }
p { margin: 4px 0; color: var(--soft); }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; padding: 12px; background: var(--card);
  border: 1px solid var(--rule); border-radius: 6px; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: 4px 20px 4px 0; vertical-align: top;
  border-bottom: 1px solid var(--rule); }
th { color: var(--soft); font-weight: 500; }
.good { color: var(--good); } .bad { color: var(--bad); font-weight: 600; }
.plot { display: flex; background: var(--card); border: 1px solid var(--rule);
  border-radius: 6px; padding: 8px; } .plot > div { overflow-x: auto; }
.key { display: flex; flex-wrap: wrap; gap: 4px 20px; margin: 8px 0;
  color: var(--soft); }
.key i { display: inline-block; width: 14px; height: 10px; margin-right: 6px; }
svg { display: block; flex: none; }
svg text { fill: var(--soft); font: 11px system-ui, sans-serif; }
svg text.on { fill: var(--ink); pointer-events: none; }
.rule { stroke: var(--rule); } .lane { fill: var(--rule); fill-opacity: .35; }
.leader { fill: var(--ink); } .mark { stroke: var(--bad); stroke-width: 1.5; }
svg text.flag { fill: var(--bad); font-weight: 700; }
.fault { fill-opacity: .35; } .hover { fill: transparent; }
.hover:hover { fill: var(--ink); fill-opacity: .08; }
.process { fill: var(--process); stroke: var(--process); background: var(--process); }
.links { fill: var(--links); stroke: var(--links); background: var(--links); }
.disk { fill: var(--disk); stroke: var(--disk); background: var(--disk); }
.clock { fill: var(--clock); stroke: var(--clock); background: var(--clock); }
.line { fill: none; stroke-width: 1.5; stroke-linejoin: round; }
.writes, .p50 { stroke: var(--low); } .reads, .p99 { stroke: var(--high); }
.key-writes, .key-p50 { fill: var(--low); } .key-reads, .key-p99 { fill: var(--high); }
summary { cursor: pointer; color: var(--soft); }
""")
