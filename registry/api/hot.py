"""What all connections answer hot requests from, and how many they answered."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from registry.api.hot_reads import HotReads
from registry.api.hot_writes import HotWrites


class ManyRequestsObserver(Protocol):
    """Hears of many answered requests at once."""

    def observe_request(
        self, method: str, route: str, status: int, count: int = 1
    ) -> None:
        """``route`` is the path's template."""


@dataclass(slots=True)
class Hot:
    """Reads are counted as plain integers, and told when somebody asks (I3)."""

    reads: HotReads
    writes: HotWrites
    answers: int = 0
    """Given without aiohttp, since the start."""

    def settle(self, observer: ManyRequestsObserver) -> None:
        """Tell how many reads were answered since the last time."""
        reads, route = self.reads, "/services/{service_name}"
        listed, reads.listed = reads.listed, 0
        unchanged, reads.unchanged = reads.unchanged, 0
        for status, count in ((200, listed), (304, unchanged)):
            if count:
                observer.observe_request("GET", route, status, count)

    def counters(self) -> Mapping[str, float]:
        """Return numbers for the metrics."""
        return {"registry_fast_answers_total": float(self.answers)}
