"""How reads fare at replicas that are well while others are not. Pure.

Readers ask one call after the other, so a call that takes long stands for those that
could not be asked meanwhile: they are counted as well, each shorter by a period, as
HdrHistogram does for an expected interval (against coordinated omission).
"""

from collections.abc import Iterator

from bench.figures import Figure
from tests.chaos.evidence import DONE, Call, Evidence
from tests.chaos.moments import fault_spans, is_plain_read, percentile
from tests.chaos.spans import Spans, anywhere, by_replica
from tests.chaos.workload.readers import PERIOD_S

RATIO = 2.0
LEAST_SAMPLES = 500
"""With fewer a kind of fault has no p99 to speak of."""


def read_figures(evidence: Evidence) -> Iterator[Figure]:
    """Yield failures and latency of plain reads on untouched replicas."""
    touched, faulty = by_replica(evidence), anywhere(evidence)
    kinds = _kinds(evidence)
    calm: list[float] = []
    beside: list[float] = []
    of_kind: dict[str, list[float]] = {kind: [] for kind in kinds}
    reads = failed = 0
    longest_s = 0.0
    for call in evidence.of(Call):
        span = (call.invoked_s, call.returned_s)
        if not is_plain_read(call) or touched.overlaps(call.replica, *span):
            continue
        reads += 1
        if call.outcome != DONE:
            failed += 1
            continue
        took_s = call.returned_s - call.invoked_s
        longest_s = max(longest_s, took_s)
        if not faulty.overlaps(*span):
            calm += _with_missed(took_s)
            continue
        beside += _with_missed(took_s)
        for kind, spans in kinds.items():
            if spans.overlaps(*span):
                of_kind[kind] += _with_missed(took_s)
    yield Figure(
        f"failed reads of {reads:,} plain ones on untouched replicas",
        f"{failed:,}",
        "0",
        met=failed == 0,
    )
    yield Figure("the longest of them", f"{1e3 * longest_s:,.0f} ms")
    if not calm or not beside:
        return
    calm_s, beside_s = percentile(sorted(calm), 0.99), percentile(sorted(beside), 0.99)
    yield Figure("p99 of plain reads, no fault anywhere", f"{1e3 * calm_s:.2f} ms")
    yield _beside("a fault on another replica", beside_s, calm_s)
    judged = {k: v for k, v in of_kind.items() if len(v) >= LEAST_SAMPLES}
    if judged:
        p99s = {kind: percentile(sorted(its), 0.99) for kind, its in judged.items()}
        worst = max(p99s, key=lambda kind: p99s[kind])
        yield _beside(f"the worst kind of fault, {worst}", p99s[worst], calm_s)


def _beside(name: str, p99_s: float, calm_s: float) -> Figure:
    ratio = p99_s / calm_s
    return Figure(
        f"p99 of plain reads, {name}",
        f"{1e3 * p99_s:.2f} ms, {ratio:.2f} x",
        f"<= {RATIO:g} x",
        met=ratio <= RATIO,
    )


def _with_missed(took_s: float) -> Iterator[float]:
    while took_s > 0:
        yield took_s
        took_s -= PERIOD_S


def _kinds(evidence: Evidence) -> dict[str, Spans]:
    """Return when there was a fault of each verb anywhere."""
    spans: dict[str, list[tuple[float, float]]] = {}
    for _, fault, over_s in fault_spans(evidence):
        spans.setdefault(fault.verb, []).append((fault.began_s, over_s))
    return {verb: Spans(its) for verb, its in spans.items()}
