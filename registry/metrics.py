"""Every metric of a replica: name, labels, help. The one user of prometheus_client.

Numbers are kept as plain values on the event loop (I3) and become metric families only
when scraped: counting a request is one dict update without a lock, and the exposed
names are exactly those written here (the library would rename the seed's gauge
``registry_services_total``, and add ``_created`` series).
"""

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry.catalog.machine import CatalogMachine
from registry.ports import ClusterView

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The classic format, which every version of Prometheus reads."""

METHODS = frozenset(
    ("GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT")
)
OTHER_METHOD = "other"

LATENCY_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)

COUNTER = "counter"
GAUGE = "gauge"

# What the cluster side tells through ``register_source``: name -> kind and help.
SOURCE_METRICS: dict[str, tuple[str, str]] = {
    "registry_raft_batches_total": (COUNTER, "Batches of commands proposed here"),
    "registry_raft_commands_total": (COUNTER, "Commands proposed here"),
    "registry_raft_attempts_total": (COUNTER, "Proposals of batches, retries included"),
    "registry_raft_expired_total": (COUNTER, "Commands that met their deadline"),
    "registry_raft_waiting_commands": (GAUGE, "Commands waiting for the next entry"),
    "registry_raft_duplicates_total": (COUNTER, "Batches applied a second time (I6)"),
    "registry_raft_internal_refusals_total": (COUNTER, "Commands whose handler failed"),
    "registry_raft_syncs_total": (COUNTER, "Syncs of the log to disk"),
    "registry_raft_slow_syncs_total": (COUNTER, "Syncs that took unusually long"),
    "registry_raft_last_sync_seconds": (GAUGE, "How long the last sync took"),
    "registry_raft_elections_won_total": (COUNTER, "Elections won by this replica"),
    "registry_raft_pre_vote_rounds_total": (COUNTER, "Pre-votes asked for"),
    "registry_raft_stale_messages_total": (COUNTER, "Late or foreign frames dropped"),
    "registry_raft_peers_refused_total": (COUNTER, "Hellos of peers refused"),
    "registry_raft_snapshots_made_total": (COUNTER, "Snapshots written"),
    "registry_raft_snapshots_installed_total": (COUNTER, "Snapshots taken from peers"),
    "registry_raft_snapshots_sent_total": (COUNTER, "Snapshots sent to peers"),
    "registry_raft_snapshots_rejected_total": (COUNTER, "Snapshots found damaged"),
    "registry_raft_divergence_checks_total": (COUNTER, "Comparisons of states (I1)"),
    "registry_raft_links_up": (GAUGE, "Links to peers that stand"),
    "registry_raft_links_rejected_total": (COUNTER, "Strangers at the Raft port"),
    "registry_raft_link_bytes_sent_total": (COUNTER, "Bytes sent to peers"),
    "registry_raft_link_bytes_received_total": (COUNTER, "Bytes received from peers"),
}
_UNLISTED = "Told by the cluster side"

Source = Callable[[], Mapping[str, float]]


class Metrics(Collector):
    """Counts what is told to it, and reads the state of the replica at each scrape."""

    def __init__(
        self, *, view: Callable[[], ClusterView], machine: CatalogMachine
    ) -> None:
        self._view = view
        self._catalog = machine.catalog
        self._sources: list[Source] = []
        self._requests: dict[tuple[str, str, int], int] = {}
        self._proposals: dict[str, int] = {}
        self._latency_counts = [0] * (len(LATENCY_BOUNDS_S) + 1)
        self._latency_sum_s = 0.0
        self._checks = 0
        self._check_failures = 0
        self._connections_refused = 0
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)

    def register_source(self, source: Source) -> None:
        """Add numbers read at each scrape, under the names of SOURCE_METRICS."""
        self._sources.append(source)

    def observe_request(self, method: str, route: str, status: int) -> None:
        """Count one answered request; ``route`` is a template: labels are bounded."""
        if method not in METHODS:
            method = OTHER_METHOD
        key = (method, route, status // 100)
        self._requests[key] = self._requests.get(key, 0) + 1

    def observe_proposal(self, result: str, latency_s: float) -> None:
        """Count one proposal; ``result`` is an outcome or an error's stable code."""
        self._proposals[result] = self._proposals.get(result, 0) + 1
        self._latency_counts[bisect_left(LATENCY_BOUNDS_S, latency_s)] += 1
        self._latency_sum_s += latency_s

    def observe_check(self, *, passed: bool) -> None:
        """Count one health check of an instance."""
        self._checks += 1
        if not passed:
            self._check_failures += 1

    def observe_connection_refused(self) -> None:
        """Count one connection closed at once, as too many were open."""
        self._connections_refused += 1

    def exposition(self) -> bytes:
        """Return everything in the Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Yield the families as they are now; called by the library for each scrape."""
        yield from self._seed_families()
        yield from self._catalog_families()
        yield from self._raft_families()
        yield from self._proposal_families()
        yield from self._source_families()

    def _seed_families(self) -> Iterator[Metric]:
        # Not told before they can be true: an empty catalog is no fact yet (I10).
        caught_up = self._view().caught_up
        catalog = self._catalog
        total = GaugeMetricFamily(
            "registry_services_total", "Total registered services (instances)"
        )
        healthy = GaugeMetricFamily(
            "registry_services_healthy", "Healthy services count (instances)"
        )
        if caught_up:
            total.add_metric([], catalog.instances)
            healthy.add_metric([], catalog.healthy)
        yield total
        yield healthy
        requests = CounterMetricFamily(
            "registry_requests_total",
            "Total API requests",
            labels=["method", "route", "status"],
        )
        for (method, route, status), count in sorted(self._requests.items()):
            requests.add_metric([method, route, f"{status}xx"], count)
        yield requests
        yield _counter(
            "registry_health_checks_total", "Health checks performed", self._checks
        )
        yield _counter(
            "registry_health_check_failures_total",
            "Failed health checks",
            self._check_failures,
        )
        yield _counter(
            "registry_connections_refused_total",
            "Connections closed at once, as too many were open",
            self._connections_refused,
        )

    def _catalog_families(self) -> Iterator[Metric]:
        catalog = self._catalog
        yield _gauge("registry_catalog_index", "Log index of the views", catalog.index)
        yield _gauge("registry_registrations", "Registrations", catalog.registrations)
        yield _gauge("registry_service_names", "Service names", catalog.services)
        yield _gauge(
            "registry_registrations_bytes",
            "Bytes of all registrations, as long as their commands are in the log",
            catalog.size_bytes,
        )

    def _raft_families(self) -> Iterator[Metric]:
        view = self._view()
        yield _gauge("registry_raft_term", "Raft's term", view.term)
        yield _gauge(
            "registry_raft_is_leader", "1 on the leader", view.role == "leader"
        )
        yield _gauge(
            "registry_raft_caught_up", "1 once reads may be answered", view.caught_up
        )
        yield _gauge(
            "registry_raft_applied_index", "Last index applied", view.applied_index
        )
        yield _gauge(
            "registry_raft_commit_index", "Last index committed", view.commit_index
        )
        yield _gauge(
            "registry_raft_last_index", "Last index in the log", view.last_index
        )
        if view.contact_age_s is not None:
            yield _gauge(
                "registry_raft_contact_age_seconds",
                "Since the leader was last heard",
                view.contact_age_s,
            )

    def _proposal_families(self) -> Iterator[Metric]:
        proposals = CounterMetricFamily(
            "registry_proposals_total", "Proposals by result", labels=["result"]
        )
        for result, count in sorted(self._proposals.items()):
            proposals.add_metric([result], count)
        yield proposals
        latency = HistogramMetricFamily(
            "registry_proposal_duration_seconds",
            "From the proposal to its outcome, refusals included",
        )
        buckets: list[tuple[str, float]] = []
        below = 0
        for bound_s, count in zip(
            LATENCY_BOUNDS_S, self._latency_counts[:-1], strict=True
        ):
            below += count
            buckets.append((str(bound_s), below))
        buckets.append(("+Inf", below + self._latency_counts[-1]))
        latency.add_metric([], buckets, sum_value=self._latency_sum_s)
        yield latency

    def _source_families(self) -> Iterator[Metric]:
        for source in self._sources:
            for name, value in source().items():
                kind, text = SOURCE_METRICS.get(name) or _unlisted(name)
                make = _counter if kind == COUNTER else _gauge
                yield make(name, text, value)


def _unlisted(name: str) -> tuple[str, str]:
    return (COUNTER if name.endswith("_total") else GAUGE), _UNLISTED


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)
