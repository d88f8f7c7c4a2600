"""Request bodies and path parts as values of the use cases, or one precise error.

Everything is checked here against `catalog/bounds.py`, and trusted from then on. Types
are strict (a boolean is no integer, "8500" is no port), unknown fields are ignored, and
null means absent. The content type is not looked at: the seed's users send what they
like.
"""

import asyncio
import re

import orjson
from aiohttp import ClientError, web

from registry.api.addresses import ENDPOINT_RULE, HOST_RULE, is_endpoint, is_host
from registry.api.checks import check
from registry.api.fields import (
    Fields,
    integer,
    invalid,
    json_object,
    kind_of,
    number,
    printable,
    required_text,
    text,
)
from registry.api.problems import body_too_large
from registry.catalog import bounds
from registry.drains import DrainRequest
from registry.errors import (
    BodyTimeout,
    MalformedRequest,
    UnknownServiceId,
)
from registry.model import MetadataValue, ServiceId, ServiceName, Status
from registry.registrar import RegistrationRequest, StatusReport

BODY = web.RequestKey("body", bytes)
"""Where a request keeps the body that was read, for whoever tells of its refusal."""

MAX_REASON_LENGTH = 200
MIN_DRAIN_SECONDS = 1.0
MAX_DRAIN_SECONDS = 2_592_000.0
"""Thirty days."""

_NAME = re.compile(bounds.NAME_PATTERN)
_SERVICE_ID = re.compile(bounds.SERVICE_ID_PATTERN)

_INITIAL = {s.value: s for s in (Status.HEALTHY, Status.STARTING)}
_REPORTED = {s.value: s for s in (Status.HEALTHY, Status.UNHEALTHY)}


async def read_body(request: web.Request, *, within_s: float) -> bytes:
    """Read the whole body. Raises BodyTooLarge, BodyTimeout or MalformedRequest."""
    try:
        async with asyncio.timeout(within_s):
            body = await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise body_too_large() from error
    except TimeoutError as error:
        raise BodyTimeout(f"a body must arrive within {within_s:g} s") from error
    except (ClientError, ConnectionError, web.RequestPayloadError) as error:
        raise MalformedRequest("the body broke off or is badly framed") from error
    request[BODY] = body
    return body


def registration(body: bytes) -> RegistrationRequest:
    """Parse the body of ``POST /register``. Raises InvalidJson or InvalidField."""
    fields = json_object(body)
    wanted_id = fields.get("service_id")
    host, port = _host(fields), _port(fields)
    endpoint = _health_endpoint(fields, host, port)
    return RegistrationRequest(
        name=ServiceName(_matching(fields, "name", _NAME, bounds.MAX_NAME_LENGTH)),
        host=host,
        port=port,
        service_id=None
        if wanted_id is None
        else ServiceId(
            _matching(fields, "service_id", _SERVICE_ID, bounds.MAX_SERVICE_ID_LENGTH)
        ),
        ttl_seconds=_ttl(fields),
        health_endpoint=endpoint,
        metadata=_metadata(fields),
        tags=_tags(fields),
        zone=text(fields, "zone", bounds.MAX_ZONE_LENGTH),
        weight=_weight(fields),
        version=text(fields, "version", bounds.MAX_VERSION_LENGTH),
        check=check(fields.get("check"), endpoint, host, port),
        initial_status=_initial_status(fields),
    )


def status_report(body: bytes) -> StatusReport | None:
    """Parse the optional body of a heartbeat; None where it reports nothing."""
    if not body.strip():
        return None
    fields = json_object(body)
    status = fields.get("status")
    note = text(fields, "note", bounds.MAX_CAUSE_LENGTH)
    if status is None:
        return None
    reported = _REPORTED.get(status) if isinstance(status, str) else None
    if reported is None:
        raise invalid("status", 'must be "healthy" or "unhealthy"')
    return StatusReport(reported, note)


def drain(body: bytes) -> DrainRequest:
    """Parse the optional body of a drain: why, and for how long at most."""
    if not body.strip():
        return DrainRequest()
    fields = json_object(body)
    low, high = MIN_DRAIN_SECONDS, MAX_DRAIN_SECONDS
    return DrainRequest(
        reason=text(fields, "reason", MAX_REASON_LENGTH),
        limit_seconds=number(fields, "seconds", low, high) or 0.0,
    )


def claimed(body: bytes) -> dict[str, str]:
    """Return what a body that may be anything says it is of: name, id and host."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    if not isinstance(document, dict):
        return {}
    wanted = ((field, document.get(field)) for field in ("name", "service_id", "host"))
    return {field: value for field, value in wanted if isinstance(value, str)}


def host_in_path(part: str) -> str:
    """Check the host in a path. Raises InvalidField: none such can be registered."""
    if not is_host(part):
        raise invalid("host", HOST_RULE)
    return part


def service_name(part: str) -> ServiceName:
    """Check the name in a path. Raises InvalidField: no such name can be registered."""
    if _NAME.fullmatch(part) is None:
        raise invalid("service_name", _pattern_text(_NAME, bounds.MAX_NAME_LENGTH))
    return ServiceName(part)


def service_id(part: str) -> ServiceId:
    """Check the id in a path. One that cannot exist is unknown like any other."""
    if _SERVICE_ID.fullmatch(part) is None:
        raise UnknownServiceId("no registration can have that id")
    return ServiceId(part)


def _matching(
    fields: Fields, field: str, pattern: re.Pattern[str], max_length: int
) -> str:
    value = required_text(fields, field)
    if pattern.fullmatch(value) is None:
        raise invalid(field, _pattern_text(pattern, max_length))
    return value


def _host(fields: Fields) -> str:
    value = required_text(fields, "host")
    if not is_host(value):
        raise invalid("host", HOST_RULE)
    return value


def _pattern_text(pattern: re.Pattern[str], max_length: int) -> str:
    return f"must have 1 to {max_length} characters and match {pattern.pattern}"


def _port(fields: Fields) -> int:
    port = integer(fields, "port", bounds.MIN_PORT, bounds.MAX_PORT)
    if port is None:
        raise invalid("port", "is missing")
    return port


def _weight(fields: Fields) -> int:
    weight = integer(fields, "weight", bounds.MIN_WEIGHT, bounds.MAX_WEIGHT)
    return 1 if weight is None else weight


def _ttl(fields: Fields) -> float | None:
    value = fields.get("ttl_seconds")
    if value is None:
        return None
    low, high = bounds.MIN_TTL_SECONDS, bounds.MAX_TTL_SECONDS
    # isinstance would take a boolean for an integer.
    if type(value) is not int and type(value) is not float:
        raise invalid("ttl_seconds", f"must be a number, not {kind_of(value)}")
    if value != 0 and not low <= value <= high:
        rule = f"must be 0 (permanent) or from {low:g} to {high:.0f}"
        raise invalid("ttl_seconds", rule)
    return float(value) or 0.0  # Not -0.0.


def _initial_status(fields: Fields) -> Status | None:
    status = fields.get("initial_status")
    if status is None:
        return None
    initial = _INITIAL.get(status) if isinstance(status, str) else None
    if initial is None:
        raise invalid("initial_status", 'must be "healthy" or "starting"')
    return initial


def _health_endpoint(fields: Fields, host: str, port: int) -> str:
    field, longest = "health_endpoint", bounds.MAX_HEALTH_ENDPOINT_LENGTH
    value = text(fields, field, longest)
    if value and not is_endpoint(value, host, port):
        raise invalid(field, ENDPOINT_RULE)
    return value


def _tags(fields: Fields) -> tuple[str, ...]:
    value = fields.get("tags")
    if value is None:
        return ()
    if not isinstance(value, list):
        raise invalid("tags", f"must be a list of strings, not {kind_of(value)}")
    if len(value) > bounds.MAX_TAGS:
        raise invalid("tags", f"may hold at most {bounds.MAX_TAGS}")
    tags = [printable(tag, "tags", bounds.MAX_TAG_LENGTH) for tag in value]
    if "" in tags:
        raise invalid("tags", "may not hold an empty string")
    unique = tuple(dict.fromkeys(tags))
    if len(orjson.dumps(unique)) > bounds.MAX_TAGS_BYTES:
        rule = f"may have at most {bounds.MAX_TAGS_BYTES} bytes together, as JSON"
        raise invalid("tags", rule)
    return unique


def _metadata(fields: Fields) -> dict[str, MetadataValue]:
    value = fields.get("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise invalid("metadata", f"must be an object, not {kind_of(value)}")
    if len(value) > bounds.MAX_METADATA_KEYS:
        raise invalid("metadata", f"may hold at most {bounds.MAX_METADATA_KEYS} keys")
    longest = bounds.MAX_METADATA_KEY_LENGTH
    metadata: dict[str, MetadataValue] = {}
    for key, item in value.items():
        if not 1 <= len(key) <= longest or not key.isprintable():
            rule = f"keys must have 1 to {longest} printable characters"
            raise invalid("metadata", rule)
        metadata[key] = _metadata_value(item, f"metadata.{key}")
    if len(orjson.dumps(metadata)) > bounds.MAX_METADATA_BYTES:
        rule = f"may have at most {bounds.MAX_METADATA_BYTES} bytes as JSON"
        raise invalid("metadata", rule)
    return metadata


def _metadata_value(value: object, field: str) -> MetadataValue:
    if isinstance(value, str):
        longest = bounds.MAX_METADATA_STRING_LENGTH
        if len(value) > longest:
            raise invalid(field, f"may have at most {longest} characters")
        return value
    # Also a boolean, which is an int in Python and in range.
    if isinstance(value, int | float):
        low, high = bounds.MIN_METADATA_INTEGER, bounds.MAX_METADATA_INTEGER
        # The parser makes a fraction of a whole number beyond 64 bits, rounded: the
        # lower bound as a fraction is what the whole numbers just below it become.
        if not low <= value <= high or (value == low and isinstance(value, float)):
            raise invalid(field, f"must be from {low} to {high}")
        return value
    raise invalid(field, f"must be a string, number or boolean, not {kind_of(value)}")
