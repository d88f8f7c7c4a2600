"""What a scenario is given, and what it is: a function from a stage to an outcome."""

from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from bench.results import Outcome


class Stage(msgspec.Struct, frozen=True):
    """What one scenario has to work with."""

    quick: bool
    """Small numbers and few turns: the figures are noisier, or only seen to run."""
    folder: Path
    """Empty, for data and logs; the caller removes it."""
    peers: Mapping[str, str]
    """URLs of running peers by name, and programs of peers by name: `--peer`."""
    url: str | None
    """A cluster to measure instead of one that is started here."""
    tell: Callable[[str], None]
    """Says in one line what is under way."""


Scenario = Callable[[Stage], Outcome]
