"""Writes that were refused: noted as they are answered, shown at ``GET /refusals``."""

from collections.abc import Mapping
from typing import Protocol

import msgspec
import orjson
from aiohttp import web

from registry.api import options, parse, render
from registry.errors import RegistryError
from registry.ports import Clock
from registry.refusals import Refusal, Refusals

READS = frozenset(("GET", "HEAD", "OPTIONS"))


class RefusalObserver(Protocol):
    """Hears of each refused write; must not block."""

    def observe_refusal(self, code: str) -> None:
        """``code`` is the error's stable code."""


class RefusalsApi:
    """Notes what the middleware tells it, and shows it."""

    def __init__(
        self, refusals: Refusals, observer: RefusalObserver, clock: Clock
    ) -> None:
        self._refusals = refusals
        self._observer = observer
        self._clock = clock

    def routes(self) -> list[web.RouteDef]:
        """Return the table of paths."""
        return [web.get("/refusals", self.show)]

    def note(self, request: web.Request, error: RegistryError) -> None:
        """Keep the refusal of a write; of unknown paths and reads there is no end."""
        resource = request.match_info.route.resource
        if resource is None or request.method in READS:
            return
        subject = parse.claimed(request.get(parse.BODY, b"")) | request.match_info
        route = f"{request.method} {resource.canonical}"
        self.record(route, request.remote, subject, error)

    def record(
        self,
        route: str,
        peer: str | None,
        subject: Mapping[str, str],
        error: RegistryError,
    ) -> None:
        """Keep the refusal of a write to a ``route``, a method and a path's template.

        ``subject``: of whom it was (name, service_id, host), as far as was said.
        """
        self._observer.observe_refusal(error.code)
        self._refusals.note(
            Refusal(
                at_ms=self._clock.wall_ms(),
                peer=peer or "",
                request=route,
                name=subject.get("name", ""),
                service_id=subject.get("service_id", ""),
                host=subject.get("host", ""),
                code=error.code,
                detail=error.detail or error.title,
            )
        )

    async def show(self, request: web.Request) -> web.Response:
        """``GET /refusals``: of this replica, the newest first."""
        name, limit = options.refusals_options(request.rel_url)
        shown = [_fields(refusal) for refusal in self._refusals.latest(name, limit)]
        return render.json_response(orjson.dumps({"refusals": shown}))


def _fields(refusal: Refusal) -> dict[str, object]:
    at = render.timestamp(refusal.at_ms)
    kept = msgspec.structs.asdict(refusal)
    return {"at": at, **{k: v for k, v in kept.items() if v and k != "at_ms"}}
