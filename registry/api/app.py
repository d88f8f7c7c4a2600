"""The application: the tables of paths behind one middleware, and what of it is hot."""

from collections.abc import Callable
from dataclasses import dataclass

from aiohttp import web

from registry.api.admin import AdminApi
from registry.api.draining import DrainingApi, DrainingDependencies
from registry.api.explain import ExplainApi
from registry.api.hot import Hot
from registry.api.hot_writes import HotWrites
from registry.api.middleware import edge
from registry.api.native import NativeApi, NativeDependencies
from registry.api.problems import MAX_BODY_BYTES
from registry.api.refused import RefusalsApi
from registry.discovery import Discovery
from registry.drains import Drains
from registry.metrics import Metrics
from registry.ports import Clock, ClusterView
from registry.refusals import Refusals
from registry.registrar import Registrar
from registry.why import Why


@dataclass(frozen=True, slots=True)
class ApiDependencies:
    """Everything that the HTTP surface stands on."""

    node_id: str
    registrar: Registrar
    drains: Drains
    discovery: Discovery
    refusals: Refusals
    why: Why
    metrics: Metrics
    clock: Clock
    view: Callable[[], ClusterView]
    troubles: Callable[[], tuple[str, ...]] = tuple
    """Codes of what is wrong beside the cluster: told as degraded."""
    request_deadline_s: float = 5.0
    body_within_s: float = 10.0
    keep_alive_s: float = 75.0
    """Longer than the usual idle time of proxies (60 s), so that they hang up first."""


@dataclass(frozen=True, slots=True)
class Surface:
    """The HTTP surface of one replica: the application, and its shortcuts."""

    app: web.Application
    hot: Hot


def create_surface(deps: ApiDependencies) -> Surface:
    """Build the application and what answers its hot requests without it."""
    refused = RefusalsApi(deps.refusals, deps.metrics, deps.clock)
    app = web.Application(
        middlewares=[edge(deps.metrics, deps.node_id, refused.note)],
        client_max_size=MAX_BODY_BYTES,
    )
    native = NativeApi(
        NativeDependencies(
            node_id=deps.node_id,
            registrar=deps.registrar,
            discovery=deps.discovery,
            clock=deps.clock,
            request_deadline_s=deps.request_deadline_s,
            body_within_s=deps.body_within_s,
        )
    )
    draining = DrainingApi(
        DrainingDependencies(
            drains=deps.drains,
            discovery=deps.discovery,
            clock=deps.clock,
            request_deadline_s=deps.request_deadline_s,
            body_within_s=deps.body_within_s,
        )
    )
    admin = AdminApi(
        view=deps.view,
        discovery=deps.discovery,
        metrics=deps.metrics,
        troubles=deps.troubles,
    )
    explain = ExplainApi(
        why=deps.why,
        discovery=deps.discovery,
        clock=deps.clock,
        request_deadline_s=deps.request_deadline_s,
    )
    for part in (native, draining, explain, refused, admin):
        app.add_routes(part.routes())
    writes = HotWrites(
        deps.registrar,
        refused,
        deps.metrics,
        deps.clock,
        node_id=deps.node_id,
        request_deadline_s=deps.request_deadline_s,
    )
    hot = Hot(native.hot_reads, writes)
    deps.metrics.register_settling(lambda: hot.settle(deps.metrics))
    deps.metrics.register_source(hot.counters)
    return Surface(app, hot)
