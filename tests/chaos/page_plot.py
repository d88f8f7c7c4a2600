"""The picture of the page: one time axis under lanes, throughput and latency.

Labels stand in an SVG of their own, left of the one that scrolls, so that they stay.
"""

import math
from collections.abc import Callable, Iterator, Sequence

from tests.chaos.evidence import Call, Evidence
from tests.chaos.findings import Finding
from tests.chaos.moments import began_s, ended_s, fault_spans, leader_spans
from tests.chaos.page_parts import Bucket, Markup, buckets, clock, join, tag

LEFT = 70
LEAST_WIDTH = 1180
PX_PER_S = 1.5
TOP = 20
LANE = 30
LANE_GAP = 6
LEADER = 5
PANEL = 120
PANEL_GAP = 40
CHARACTER = 6.0
TICKS_S = (5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600)
TICK_PX = 90
LATENCIES_MS = (1.0, 10.0, 100.0, 1_000.0)
MOST_MARKS = 200

KINDS = {
    "process": ("kill", "stop", "pause", "starve"),
    "links": ("partition", "slow_link", "unplug"),
    "disk": ("power_cut", "slow_disk", "break_disk", "fill_disk", "wipe"),
    "clock": ("step_clock",),
}
"""Faults that share a colour."""
RATES = {"writes": "acknowledged writes", "reads": "answered reads"}
LATENCIES = {"p50": "plain reads, p50", "p99": "plain reads, p99"}
KIND_OF = {verb: kind for kind, verbs in KINDS.items() for verb in verbs}


def plot(evidence: Evidence, findings: Sequence[Finding]) -> Markup:
    """Return the whole picture with its key."""
    return _Plot(evidence, findings).draw()


class _Plot:
    """Where things stand: x is time since the begin."""

    def __init__(self, evidence: Evidence, findings: Sequence[Finding]) -> None:
        self._evidence = evidence
        self._findings = findings
        self._from_s = began_s(evidence)
        self._took_s = max(ended_s(evidence) - self._from_s, 1.0)
        self._width = max(LEAST_WIDTH, self._took_s * PX_PER_S)
        self._nodes = evidence.run.nodes
        self._lanes_end = TOP + len(self._nodes) * (LANE + LANE_GAP)
        self._rates_top = self._lanes_end + PANEL_GAP
        self._latency_top = self._rates_top + PANEL + PANEL_GAP
        self._bottom = self._latency_top + PANEL
        calls = evidence.of(Call)
        self._length_s, self._buckets = buckets(
            calls, self._from_s, self._from_s + self._took_s
        )
        rates = [max(b.writes, b.reads) / self._length_s for b in self._buckets]
        self._most = _round_up(max(1.0, *rates))

    def draw(self) -> Markup:
        height = self._bottom + 24
        labels = tag("svg", *self._labels(), width=LEFT, height=height)
        parts = (
            *self._ticks(),
            *self._lanes(),
            *self._titles(),
            *self._lines(),
            *self._marks(),
            *self._hovers(),
        )
        width = round(self._width)
        picture = tag("svg", *parts, width=width, height=height, role="img")
        return join([_key(), tag("div", labels, tag("div", picture), class_="plot")])

    def _x(self, at_s: float) -> float:
        """Of a time since the begin, within the picture."""
        share = min(1.0, max(0.0, at_s / self._took_s))
        return round(share * (self._width - 10), 1)

    def _rate_y(self, per_s: float) -> float:
        return round(self._rates_top + PANEL * (1 - per_s / self._most), 1)

    def _latency_y(self, ms: float) -> float:
        """On a scale of powers, from 0.1 ms to 10 s."""
        share = (math.log10(min(max(ms, 0.1), 1e4)) + 1) / 5
        return round(self._latency_top + PANEL * (1 - share), 1)

    def _lane_y(self, node_id: str) -> int:
        return TOP + self._nodes.index(node_id) * (LANE + LANE_GAP)

    # -- parts

    def _labels(self) -> Iterator[Markup]:
        for node_id in self._nodes:
            yield tag("text", node_id, x=4, y=self._lane_y(node_id) + 19, class_="on")
        for per_s in (self._most / 2, self._most):
            y = self._rate_y(per_s) + 4
            yield tag("text", f"{per_s:,.0f}", x=LEFT - 6, y=y, text_anchor="end")
        for ms in LATENCIES_MS:
            y = self._latency_y(ms) + 4
            yield tag("text", f"{ms:,.0f}", x=LEFT - 6, y=y, text_anchor="end")

    def _titles(self) -> Iterator[Markup]:
        """Say above each panel what its lines are."""
        for top, unit, lines in (
            (self._rates_top, "per second", RATES),
            (self._latency_top, "ms", LATENCIES),
        ):
            x, y = 4, top - 12
            for kind, told in lines.items():
                yield tag(
                    "rect", x=x, y=y - 6, width=14, height=3, class_=f"key-{kind}"
                )
                yield tag("text", f"{told}, {unit}", x=x + 20, y=y, class_="on")
                x += 220

    def _ticks(self) -> Iterator[Markup]:
        per_s = self._width / self._took_s
        step = next((t for t in TICKS_S if t * per_s >= TICK_PX), TICKS_S[-1])
        for at_s in range(0, int(self._took_s) + 1, step):
            x = self._x(at_s)
            yield tag("line", x1=x, x2=x, y1=TOP, y2=self._bottom, class_="rule")
            told = f"{at_s // 60}:{at_s % 60:02d}"
            yield tag("text", told, x=x + 2, y=self._bottom + 16)
        levels = [self._rate_y(v) for v in (0, self._most / 2, self._most)]
        levels += [self._latency_y(ms) for ms in LATENCIES_MS]
        for y in levels:
            yield tag("line", x1=0, x2=self._width, y1=y, y2=y, class_="rule")

    def _lanes(self) -> Iterator[Markup]:
        for node_id in self._nodes:
            y = self._lane_y(node_id)
            yield tag("rect", x=0, y=y, width=self._width, height=LANE, class_="lane")
        for node_id, fault, over_s in fault_spans(self._evidence):
            yield from self._fault(
                node_id, fault.verb, fault.detail, fault.began_s, over_s
            )
        for node_id, spans in leader_spans(self._evidence).items():
            for start_s, end_s in spans:
                told = f"{node_id} leads from {clock(start_s - self._from_s)}"
                yield self._bar(
                    start_s, end_s, self._lane_y(node_id) + LANE - LEADER, LEADER,
                    told, "leader",
                )  # fmt: skip

    def _fault(
        self, node_id: str, verb: str, detail: str, start_s: float, end_s: float
    ) -> Iterator[Markup]:
        y = self._lane_y(node_id)
        told = (
            f"{verb} {node_id} at {clock(start_s - self._from_s)} "
            f"for {end_s - start_s:.1f} s; {detail}"
        )
        kind = KIND_OF.get(verb, "process")
        yield self._bar(start_s, end_s, y + 1, LANE - LEADER - 2, told, f"fault {kind}")
        room = self._x(end_s - self._from_s) - self._x(start_s - self._from_s)
        if len(verb) * CHARACTER < room:
            x = self._x(start_s - self._from_s) + 3
            yield tag("text", verb.replace("_", " "), x=x, y=y + 16, class_="on")

    def _bar(
        self,
        start_s: float,
        end_s: float,
        y: float,
        height: float,
        told: str,
        kind: str,
    ) -> Markup:
        x = self._x(start_s - self._from_s)
        width = round(max(1.0, self._x(end_s - self._from_s) - x), 1)
        title = tag("title", told)
        return tag("rect", title, x=x, y=y, width=width, height=height, class_=kind)

    def _lines(self) -> Iterator[Markup]:
        def rate(count: Callable[[Bucket], int]) -> Callable[[Bucket], float]:
            return lambda bucket: self._rate_y(count(bucket) / self._length_s)

        def latency(share: float) -> Callable[[Bucket], float]:
            return lambda bucket: self._latency_y(bucket.latency_ms(share))

        whole = self._buckets[:-1] or self._buckets  # the last one is cut short
        heard = [b if b.latencies_ms else None for b in whole]
        yield self._line(whole, rate(lambda b: b.writes), "writes")
        yield self._line(whole, rate(lambda b: b.reads), "reads")
        yield self._line(heard, latency(0.5), "p50")
        yield self._line(heard, latency(0.99), "p99")

    def _line(
        self,
        values: Sequence[Bucket | None],
        y_of: Callable[[Bucket], float],
        kind: str,
    ) -> Markup:
        """Through the middle of each bucket; broken where there is none."""
        path: list[str] = []
        is_down = False
        for bucket in values:
            if bucket is not None:
                x = self._x(bucket.from_s + self._length_s / 2)
                path.append(f"{'L' if is_down else 'M'}{x} {y_of(bucket)}")
            is_down = bucket is not None
        return tag("path", d=" ".join(path), class_=f"line {kind}")

    def _marks(self) -> Iterator[Markup]:
        for number, finding in enumerate(self._findings[:MOST_MARKS], 1):
            at_s = finding.at_s - self._from_s if finding.at_s else self._took_s
            x = self._x(at_s)
            title = tag("title", f"{number}. {finding.checker}: {finding.text}")
            yield tag("line", title, x1=x, x2=x, y1=TOP, y2=self._bottom, class_="mark")
            flag = str(number)
            yield tag(
                "text", flag, title, x=x, y=14, class_="flag", text_anchor="middle"
            )

    def _hovers(self) -> Iterator[Markup]:
        """Tell the numbers of a bucket to who points at it."""
        for bucket in self._buckets:
            x = self._x(bucket.from_s)
            width = round(max(0.5, self._x(bucket.from_s + self._length_s) - x), 1)
            told = (
                f"{clock(bucket.from_s)}: "
                f"{bucket.writes / self._length_s:,.0f} writes/s, "
                f"{bucket.reads / self._length_s:,.0f} reads/s"
            )
            if bucket.latencies_ms:
                p50, p99 = bucket.latency_ms(0.5), bucket.latency_ms(0.99)
                told += f", reads p50 {p50:.1f} ms, p99 {p99:.1f} ms"
            height = self._bottom - self._rates_top
            title = tag("title", told)
            yield tag(
                "rect", title, x=x, y=self._rates_top, width=width, height=height,
                class_="hover",
            )  # fmt: skip


def _round_up(value: float) -> float:
    """Return the next of 1, 2, 5, 10, 20, 50, …"""
    power = 10.0 ** math.floor(math.log10(value))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= value)


def _key() -> Markup:
    kinds = {
        "process": "process (kill, stop, pause, starve)",
        "links": "links",
        "disk": "disk, power",
        "clock": "clock",
        "leader": "leads",
    }
    style = {"leader": "background: var(--ink); height: 5px"}
    return tag(
        "div",
        *(
            tag("span", tag("i", class_=kind, style=style.get(kind, "")), told)
            for kind, told in kinds.items()
        ),
        class_="key",
    )
