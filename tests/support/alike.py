"""What makes two replicas alike, and what must be the same of them in the end."""

import asyncio
import re
from dataclasses import dataclass

from tests.support.fake_clock import START_WALL_MS
from tests.support.use_cases import UseCases

COUNTED = (b"registry_requests_total", b"registry_refusals", b"registry_proposals")
"""Names of metrics that requests change."""

_DATE = re.compile(
    rb"\r\nDate: (Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d "
    rb"(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} \d\d:\d\d:\d\d GMT\r\n"
)
_ERROR_ID = re.compile(rb'(logged under |"error_id":")[0-9a-f]{12}')


class SteadyClock:
    """The event loop's time, and a wall clock that stands until it is moved."""

    def __init__(self) -> None:
        self.passed_ms = 0

    def now_s(self) -> float:
        """Monotonic seconds of the running loop."""
        return asyncio.get_running_loop().time()

    def wall_ms(self) -> int:
        """Milliseconds since the epoch."""
        return START_WALL_MS + self.passed_ms


@dataclass(frozen=True, slots=True)
class Told:
    """What a client sees of one connection: bytes, and whether it ended."""

    answers: bytes
    is_closed: bool


async def fill(cases: UseCases) -> None:
    """Register a few instances: ``web-1`` to ``web-3`` and ``api-1``."""
    colours = (("blue",), ("red",), ("blue", "red"))
    for number, tags in enumerate(colours, 1):
        await cases.register(port=number, service_id=f"web-{number}", tags=tags)
    await cases.register("api", service_id="api-1", zone="north")


def masked(answers: bytes) -> bytes:
    """Return answers without what differs from one moment to the next."""
    dated = _DATE.sub(b"\r\nDate: -\r\n", answers)
    return _ERROR_ID.sub(rb"\1-", dated)


def effects(cases: UseCases) -> list[object]:
    """Return what requests have changed: commands, refusals, and counts."""
    exposed = cases.metrics.exposition().splitlines()
    counts = sorted(line for line in exposed if line.startswith(COUNTED))
    refusals = [masked(repr(r).encode()) for r in cases.refusals.latest()]
    return [cases.consensus.proposed, refusals, counts]
