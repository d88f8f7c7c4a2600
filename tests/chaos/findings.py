"""What a checker has to say, and where it points."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

_WHERE = re.compile(r"\([^)]*\)|[0-9]+\.[0-9]+ s")


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken promise."""

    checker: str
    at_s: float
    """When it showed, on the clock of the evidence; 0.0: at the end."""
    text: str
    """A sentence that names replica, service and instance."""


def gathered(findings: Iterable[Finding]) -> list[Finding]:
    """Return one of those that say the same of different calls, in order of time.

    One defect shows in hundreds of reads; whoever looks at it wants to see the others.
    """
    alike: dict[tuple[str, str], list[Finding]] = {}
    for finding in sorted(findings, key=lambda f: f.at_s):
        what = _WHERE.sub("", finding.text)
        alike.setdefault((finding.checker, what), []).append(finding)
    return [_with_count(first, len(more)) for first, *more in alike.values()]


def _with_count(first: Finding, more: int) -> Finding:
    if not more:
        return first
    return replace(first, text=f"{first.text}, and {more:,} more like it")
