"""What a load process is told, and what it tells when it has ended."""

from typing import Literal

import msgspec

from bench.load.stream import Stream

Generator = Literal["wrk", "ours"]


class Load(msgspec.Struct, frozen=True):
    """One load. With a rate it is an open loop, without one a closed one."""

    urls: tuple[str, ...]
    """Its connections are spread over all of them."""
    stream: Stream
    connections: int
    seconds: float
    rate_per_s: float | None = None
    core: int | None = None
    """The only core it runs on; None: any."""
    is_patient: bool = False
    """An open loop that leaves its core to others, and may be a millisecond late."""
    beside: "tuple[Load, ...]" = ()
    """More open loops in the same process: on one core two would disturb each other."""


class Result(msgspec.Struct, frozen=True):
    """What became of the requests of one load."""

    requests: int
    """Answered with a 2xx."""
    errors: int
    """Answered otherwise, or not at all."""
    seconds: float
    latency_us: dict[str, float]
    rate_by_second: tuple[float, ...]
    generator: Generator
    wanted_s: float = 0.0
    """How long the generator ran or waited for its core: one that did so always was the
    limit of the rate, whatever its neighbours left it."""
    beside: "tuple[Result, ...]" = ()
