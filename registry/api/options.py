"""Query options of the read paths, and the condition of a conditional GET.

Unknown options are ignored, like unknown fields of a body: caches and proxies add some.
A known one with a value that makes no sense is refused, and so is one that is there
twice but can have one value only: ignoring it would answer another question than the
one asked.
"""

from dataclasses import dataclass

from multidict import MultiMapping
from yarl import URL

from registry.catalog import bounds
from registry.discovery import EVERY, HEALTHY, PLAIN, Consistency, InstanceFilter
from registry.errors import InvalidField
from registry.model import Status
from registry.refusals import KEPT

MAX_PAGE = 1_000
"""How many services ``GET /services`` lists at most, and when no limit is asked for."""
SHOWN_REFUSALS = 100
"""How many refusals are shown when no limit is asked for."""

_MAX_INDEX = 2**63 - 1
_METADATA = "metadata."
_FLAGS = {"": True, "1": True, "true": True, "0": False, "false": False}
_STATUSES: dict[str, Status | None] = {"all": None, **{s.value: s for s in Status}}
_PREBUILT = {wanted: wanted for wanted in (HEALTHY, EVERY)}


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of the list of services: ``limit`` names behind ``after``."""

    after: str
    limit: int


def service_options(url: URL) -> tuple[InstanceFilter, Consistency]:
    """Parse what ``GET /services/{name}`` takes; HEALTHY and PLAIN without a query."""
    if not url.raw_query_string:
        return HEALTHY, PLAIN
    query = url.query
    return _filter(query), _consistency(query)


def services_options(url: URL) -> tuple[Page, Consistency]:
    """Parse what ``GET /services`` takes."""
    query = url.query
    after = _single(query, "after") or ""
    if len(after) > bounds.MAX_NAME_LENGTH:
        rule = f"may have at most {bounds.MAX_NAME_LENGTH} characters"
        raise _invalid("after", rule)
    page = Page(after, _number(query, "limit", low=1, high=MAX_PAGE, default=MAX_PAGE))
    return page, _consistency(query)


def refusals_options(url: URL) -> tuple[str, int]:
    """Parse what ``GET /refusals`` takes: a name, id or host, and a limit."""
    query = url.query
    limit = _number(query, "limit", low=1, high=KEPT, default=SHOWN_REFUSALS)
    return _single(query, "name") or "", limit


def flag(url: URL, name: str) -> bool:
    """Return a boolean option; naming it without a value sets it."""
    return _flag(url.query, name)


def is_unchanged(if_none_match: str | None, etag: str | None) -> bool:
    """Whether the client's condition names this entity (compared weakly)."""
    if if_none_match is None or etag is None:
        return False
    opaque = etag.removeprefix("W/")
    return any(
        candidate == "*" or candidate.removeprefix("W/") == opaque
        for candidate in map(str.strip, if_none_match.split(","))
    )


def _filter(query: MultiMapping[str]) -> InstanceFilter:
    status = _single(query, "status")
    if status is None:
        status = Status.HEALTHY.value
    if status not in _STATUSES:
        raise _invalid("status", f"must be one of {', '.join(_STATUSES)}")
    metadata = [
        (name.removeprefix(_METADATA), value)
        for name, value in query.items()
        if name.startswith(_METADATA)
    ]
    wanted = InstanceFilter(
        status=_STATUSES[status],
        tags=tuple(sorted(set(query.getall("tag", ())))),
        zone=_single(query, "zone"),
        metadata=tuple(sorted(set(metadata))),
    )
    # The same object for the same question: its answers are prebuilt.
    return _PREBUILT.get(wanted, wanted)


def _consistency(query: MultiMapping[str]) -> Consistency:
    wanted = Consistency(
        consistent=_flag(query, "consistent"),
        min_index=_number(query, "min_index", low=0, high=_MAX_INDEX, default=0),
        stale=_flag(query, "stale"),
    )
    if wanted.stale and wanted.consistent:
        raise _invalid("stale", "contradicts consistent")
    return PLAIN if wanted == PLAIN else wanted


def _single(query: MultiMapping[str], name: str) -> str | None:
    values = query.getall(name, ())
    if len(values) > 1:
        raise _invalid(name, "may be given once only")
    return values[0] if values else None


def _flag(query: MultiMapping[str], name: str) -> bool:
    value = _single(query, name)
    if value is None:
        return False
    if value.lower() not in _FLAGS:
        raise _invalid(name, "must be true or false")
    return _FLAGS[value.lower()]


def _number(
    query: MultiMapping[str], name: str, *, low: int, high: int, default: int
) -> int:
    value = _single(query, name)
    if value is None:
        return default
    # Digits only, and not too many: int() takes signs, spaces, underscores, and time.
    if not (value.isascii() and value.isdigit() and len(value) <= len(str(high))):
        raise _invalid(name, f"must be a whole number from {low} to {high}")
    number = int(value)
    if not low <= number <= high:
        raise _invalid(name, f"must be from {low} to {high}")
    return number


def _invalid(name: str, rule: str) -> InvalidField:
    return InvalidField(f"{name} {rule}", field=name)
