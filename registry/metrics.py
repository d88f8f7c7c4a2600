"""Every metric of a replica: name, labels, help. The one user of prometheus_client.

Numbers are kept as plain values (`tallies.py`, and what `source_metrics.py` lists) and
become metric families only when scraped: counting takes no lock, and the exposed names
are exactly those written (the library would rename the seed's gauge
``registry_services_total``, and add ``_created`` series).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from registry.catalog.machine import CatalogMachine
from registry.ports import ClusterView
from registry.source_metrics import COUNTER, source_metric
from registry.tallies import Counts, Latencies, Tallies

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The classic format, which every version of Prometheus reads."""

Source = Callable[[], Mapping[str, float]]


class Metrics(Tallies, Collector):
    """Counts what is told to it, and reads the state of the replica at each scrape."""

    def __init__(
        self, *, view: Callable[[], ClusterView], machine: CatalogMachine
    ) -> None:
        super().__init__()
        self._view = view
        self._catalog = machine.catalog
        self._sources: list[Source] = []
        self._settlings: list[Callable[[], None]] = []
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(self)
        ProcessCollector(registry=self._registry)

    def register_source(self, source: Source) -> None:
        """Add numbers read at each scrape, under the names of SOURCE_METRICS."""
        self._sources.append(source)

    def register_settling(self, settle: Callable[[], None]) -> None:
        """Call ``settle`` before each scrape: it tells what it has counted itself."""
        self._settlings.append(settle)

    def exposition(self) -> bytes:
        """Return everything in the Prometheus text format."""
        return generate_latest(self._registry)

    def collect(self) -> Iterable[Metric]:
        """Yield the families as they are now; called by the library for each scrape."""
        for settle in self._settlings:
            settle()
        yield from self._seed_families()
        yield from self._catalog_families()
        yield from self._raft_families()
        yield from self._proposal_families()
        yield from self._duty_families()
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
        for (method, route, status), count in sorted(self.requests.items()):
            requests.add_metric([method, route, f"{status}xx"], count)
        yield requests
        yield _counter(
            "registry_health_checks_total", "Health checks performed", self.checks
        )
        yield _counter(
            "registry_health_check_failures_total",
            "Failed health checks",
            self.check_failures,
        )
        yield _counter(
            "registry_connections_refused_total",
            "Connections closed at once, as too many were open",
            self.connections_refused,
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
        yield _gauge("registry_addresses_drained", "Drained addresses", catalog.drained)
        yield _gauge(
            "registry_shared_addresses",
            "Addresses at which more than one service is registered",
            catalog.shared_addresses,
        )
        yield _gauge(
            "registry_registrations_gone",
            "Registrations that expired, and that a heartbeat would bring back",
            catalog.gone_count,
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
        yield _by_label(
            "registry_proposals_total", "Proposals by result", "result", self.proposals
        )
        yield _histogram(
            "registry_proposal_duration_seconds",
            "From the proposal to its outcome, refusals included",
            {"": self.proposal_latencies},
        )

    def _duty_families(self) -> Iterator[Metric]:
        yield _histogram(
            "registry_health_check_duration_seconds",
            "How long health checks took, failed ones included",
            self.check_latencies,
            label="kind",
        )
        yield _by_label(
            "registry_evictions_total",
            "Registrations ended by the leader",
            "cause",
            self.evictions,
        )
        yield _counter(
            "registry_eviction_holds_total",
            "Times that evictions were held back, as too many were due at once",
            self.eviction_holds,
        )
        yield _by_label(
            "registry_opinions_total",
            "Second opinions: given, agreed, disagreed",
            "result",
            self.opinions,
        )
        yield _counter(
            "registry_revivals_total",
            "Expired registrations that a heartbeat brought back",
            self.revivals,
        )
        yield _by_label(
            "registry_refusals_total",
            "Writes answered with an error, by its code",
            "code",
            self.refusals,
        )

    def _source_families(self) -> Iterator[Metric]:
        for source in self._sources:
            for name, value in source().items():
                kind, text = source_metric(name)
                make = _counter if kind == COUNTER else _gauge
                yield make(name, text, value)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


def _counter(name: str, text: str, value: float) -> Metric:
    return CounterMetricFamily(name, text, value=value)


def _by_label(name: str, text: str, label: str, counts: Counts) -> Metric:
    family = CounterMetricFamily(name, text, labels=[label])
    for value, count in sorted(counts.items()):
        family.add_metric([value], count)
    return family


def _histogram(
    name: str, text: str, latencies: Mapping[str, Latencies], label: str = ""
) -> Metric:
    family = HistogramMetricFamily(name, text, labels=[label] if label else None)
    for value, found in sorted(latencies.items()):
        values = [value] if label else []
        family.add_metric(values, found.buckets(), sum_value=found.sum_s)
    return family
