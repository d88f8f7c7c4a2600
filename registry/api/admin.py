"""What probes, operators and Prometheus ask a replica, beside the seed's catalog API.

`/health` is liveness: it fails only for what a restart could mend. `/ready` is whether
to send traffic here; it outlives the quorum, because reads do (I10).
"""

from collections.abc import Callable

import orjson
from aiohttp import web

from registry.api import options
from registry.api.render import cluster_body, json_response
from registry.discovery import Discovery
from registry.metrics import CONTENT_TYPE, Metrics
from registry.ports import ClusterView
from registry.readiness import DISK_FAILED, degraded, unready


class AdminApi:
    """The handlers, and their place in the URL space."""

    def __init__(
        self,
        *,
        view: Callable[[], ClusterView],
        discovery: Discovery,
        metrics: Metrics,
        troubles: Callable[[], tuple[str, ...]],
    ) -> None:
        """``troubles``: codes of what is wrong beside the cluster, told with it."""
        self._view = view
        self._discovery = discovery
        self._metrics = metrics
        self._troubles = troubles

    def routes(self) -> list[web.RouteDef]:
        """Return the table of paths."""
        return [
            web.get("/health", self.health),
            web.get("/ready", self.ready),
            web.get("/cluster", self.cluster),
            web.get("/metrics", self.metrics),
        ]

    async def health(self, request: web.Request) -> web.Response:
        """``GET /health``: the seed's three fields, counting instances."""
        view = self._view()
        counts = self._discovery.counts()
        status, code = "healthy", 200
        if DISK_FAILED in view.degraded:
            status, code = "unhealthy", 503
        elif view.stopping:
            status = "stopping"
        elif counts is None:
            status = "starting"
        document: dict[str, object] = {
            "status": status,
            "registered_services": None if counts is None else counts.instances,
            "healthy_services": None if counts is None else counts.healthy,
        }
        reasons = self._degraded(view)
        if reasons:
            document["degraded"] = reasons
        response = json_response(orjson.dumps(document))
        response.set_status(code)
        return response

    async def ready(self, request: web.Request) -> web.Response:
        """``GET /ready``; ``?leader=1`` asks whether writes can be done, too."""
        view = self._view()
        refusal = unready(view, leader_required=options.flag(request.rel_url, "leader"))
        if refusal is not None:
            raise refusal
        document: dict[str, object] = {"status": "ready"}
        reasons = self._degraded(view)
        if reasons:
            document["degraded"] = reasons
        return json_response(orjson.dumps(document))

    async def cluster(self, request: web.Request) -> web.Response:
        """``GET /cluster``: the members as this replica sees them."""
        view = self._view()
        return json_response(cluster_body(view, self._degraded(view)))

    async def metrics(self, request: web.Request) -> web.Response:
        """``GET /metrics`` in the Prometheus text format."""
        return web.Response(
            body=self._metrics.exposition(), headers={"Content-Type": CONTENT_TYPE}
        )

    def _degraded(self, view: ClusterView) -> list[str]:
        return list(dict.fromkeys([*degraded(view), *self._troubles()]))
