"""What a replica counts of itself, as plain values on the event loop (I3).

Counting is one addition without a lock; `metrics.py` makes metric families of it when
it is scraped. Every label's values are bounded: routes are templates, causes, results
and codes are words of ours.
"""

from bisect import bisect_left

METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT")
)
OTHER_METHOD = "other"

LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

Counts = dict[str, int]


class Latencies:
    """A histogram over LATENCY_BOUNDS_S."""

    def __init__(self) -> None:
        self._counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self.sum_s = 0.0

    def observe(self, latency_s: float) -> None:
        """Count one."""
        self._counts[bisect_left(LATENCY_BOUNDS_S, latency_s)] += 1
        self.sum_s += latency_s

    def buckets(self) -> list[tuple[str, float]]:
        """Return each upper bound, and how many are not above it."""
        found: list[tuple[str, float]] = []
        below = 0
        for bound_s, count in zip(LATENCY_BOUNDS_S, self._counts[:-1], strict=True):
            below += count
            found.append((str(bound_s), below))
        return [*found, ("+Inf", below + self._counts[-1])]


class Tallies:
    """Every observer's methods; none blocks, none raises."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str, int], int] = {}
        self.proposals: Counts = {}
        self.proposal_latencies = Latencies()
        self.checks = 0
        self.check_failures = 0
        self.check_latencies: dict[str, Latencies] = {}
        """By kind of check."""
        self.connections_refused = 0
        self.evictions: Counts = {}
        """By cause."""
        self.eviction_holds = 0
        self.opinions: Counts = {}
        """By result."""
        self.revivals = 0
        self.refusals: Counts = {}
        """By the error's stable code."""

    def observe_request(
        self, method: str, route: str, status: int, count: int = 1
    ) -> None:
        """Count answered requests; ``route`` is a template: labels are bounded."""
        if method not in METHODS:
            method = OTHER_METHOD
        key = (method, route, status // 100)
        self.requests[key] = self.requests.get(key, 0) + count

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """Count one proposal; ``result`` is an outcome or an error's stable code."""
        _add(self.proposals, result)
        self.proposal_latencies.observe(latency_s)

    def observe_check(self, *, kind: str, passed: bool, latency_s: float) -> None:
        """Count one health check of an instance."""
        self.checks += 1
        if not passed:
            self.check_failures += 1
        self.check_latencies.setdefault(kind, Latencies()).observe(latency_s)

    def observe_connection_refused(self) -> None:
        """Count one connection closed at once, as too many were open."""
        self.connections_refused += 1

    def observe_evictions(self, cause: str, count: int) -> None:
        """Count registrations that the keeper ended."""
        _add(self.evictions, cause, count)

    def observe_hold(self) -> None:
        """Count one time that evictions began to be held back."""
        self.eviction_holds += 1

    def observe_opinion(self, result: str) -> None:
        """Count one second opinion, given or received."""
        _add(self.opinions, result)

    def observe_revivals(self, count: int) -> None:
        """Count registrations that came back by a heartbeat through this replica."""
        self.revivals += count

    def observe_refusal(self, code: str) -> None:
        """Count one write that this replica answered with an error."""
        _add(self.refusals, code)


def _add(counts: Counts, label: str, count: int = 1) -> None:
    counts[label] = counts.get(label, 0) + count
