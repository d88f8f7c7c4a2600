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
from registry.api.problems import body_too_large
from registry.catalog import bounds
from registry.errors import (
    BodyTimeout,
    InvalidField,
    InvalidJson,
    MalformedRequest,
    UnknownServiceId,
)
from registry.model import MetadataValue, ServiceId, ServiceName, Status
from registry.registrar import RegistrationRequest, StatusReport

_NAME = re.compile(bounds.NAME_PATTERN)
_SERVICE_ID = re.compile(bounds.SERVICE_ID_PATTERN)

_REPORTED = {s.value: s for s in (Status.HEALTHY, Status.UNHEALTHY)}

Fields = dict[str, object]


async def read_body(request: web.Request, *, within_s: float) -> bytes:
    """Read the whole body. Raises BodyTooLarge, BodyTimeout or MalformedRequest."""
    try:
        async with asyncio.timeout(within_s):
            return await request.read()
    except web.HTTPRequestEntityTooLarge as error:
        raise body_too_large() from error
    except TimeoutError as error:
        raise BodyTimeout(f"a body must arrive within {within_s:g} s") from error
    except (ClientError, ConnectionError, web.RequestPayloadError) as error:
        raise MalformedRequest("the body broke off or is badly framed") from error


def json_object(body: bytes) -> Fields:
    """Parse a JSON object. Raises InvalidJson."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(str(error)) from error
    if not isinstance(document, dict):
        raise InvalidJson(f"the body must be a JSON object, not {_kind(document)}")
    return document


def registration(body: bytes) -> RegistrationRequest:
    """Parse the body of ``POST /register``. Raises InvalidJson or InvalidField."""
    fields = json_object(body)
    wanted_id = fields.get("service_id")
    host, port = _host(fields), _port(fields)
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
        health_endpoint=_health_endpoint(fields, host, port),
        metadata=_metadata(fields),
        tags=_tags(fields),
        zone=_text(fields, "zone", bounds.MAX_ZONE_LENGTH),
        weight=_weight(fields),
        version=_text(fields, "version", bounds.MAX_VERSION_LENGTH),
    )


def status_report(body: bytes) -> StatusReport | None:
    """Parse the optional body of a heartbeat; None where it reports nothing."""
    if not body.strip():
        return None
    fields = json_object(body)
    status = fields.get("status")
    note = _text(fields, "note", bounds.MAX_CAUSE_LENGTH)
    if status is None:
        return None
    reported = _REPORTED.get(status) if isinstance(status, str) else None
    if reported is None:
        raise _invalid("status", 'must be "healthy" or "unhealthy"')
    return StatusReport(reported, note)


def service_name(part: str) -> ServiceName:
    """Check the name in a path. Raises InvalidField: no such name can be registered."""
    if _NAME.fullmatch(part) is None:
        raise _invalid("service_name", _pattern_text(_NAME, bounds.MAX_NAME_LENGTH))
    return ServiceName(part)


def service_id(part: str) -> ServiceId:
    """Check the id in a path. One that cannot exist is unknown like any other."""
    if _SERVICE_ID.fullmatch(part) is None:
        raise UnknownServiceId("no registration can have that id")
    return ServiceId(part)


def _invalid(field: str, rule: str) -> InvalidField:
    return InvalidField(f"{field} {rule}", field=field)


def _matching(
    fields: Fields, field: str, pattern: re.Pattern[str], max_length: int
) -> str:
    value = _required_text(fields, field)
    if pattern.fullmatch(value) is None:
        raise _invalid(field, _pattern_text(pattern, max_length))
    return value


def _required_text(fields: Fields, field: str) -> str:
    value = fields.get(field)
    if value is None:
        raise _invalid(field, "is missing")
    if not isinstance(value, str):
        raise _invalid(field, f"must be a string, not {_kind(value)}")
    return value


def _host(fields: Fields) -> str:
    value = _required_text(fields, "host")
    if not is_host(value):
        raise _invalid("host", HOST_RULE)
    return value


def _pattern_text(pattern: re.Pattern[str], max_length: int) -> str:
    return f"must have 1 to {max_length} characters and match {pattern.pattern}"


def _text(fields: Fields, field: str, max_length: int) -> str:
    value = fields.get(field)
    if value is None:
        return ""
    return _printable(value, field, max_length)


def _printable(value: object, field: str, max_length: int) -> str:
    if not isinstance(value, str):
        raise _invalid(field, f"must be a string, not {_kind(value)}")
    if len(value) > max_length:
        raise _invalid(field, f"may have at most {max_length} characters")
    if not value.isprintable():
        raise _invalid(field, "may hold printable characters only")
    return value


def _integer(fields: Fields, field: str, low: int, high: int) -> int | None:
    value = fields.get(field)
    if value is None:
        return None
    if type(value) is not int:
        rule = f"must be an integer from {low} to {high}, not {_kind(value)}"
        raise _invalid(field, rule)
    if not low <= value <= high:
        raise _invalid(field, f"must be from {low} to {high}")
    return value


def _port(fields: Fields) -> int:
    port = _integer(fields, "port", bounds.MIN_PORT, bounds.MAX_PORT)
    if port is None:
        raise _invalid("port", "is missing")
    return port


def _weight(fields: Fields) -> int:
    weight = _integer(fields, "weight", bounds.MIN_WEIGHT, bounds.MAX_WEIGHT)
    return 1 if weight is None else weight


def _ttl(fields: Fields) -> float | None:
    value = fields.get("ttl_seconds")
    if value is None:
        return None
    low, high = bounds.MIN_TTL_SECONDS, bounds.MAX_TTL_SECONDS
    # isinstance would take a boolean for an integer.
    if type(value) is not int and type(value) is not float:
        raise _invalid("ttl_seconds", f"must be a number, not {_kind(value)}")
    if value != 0 and not low <= value <= high:
        rule = f"must be 0 (permanent) or from {low:g} to {high:.0f}"
        raise _invalid("ttl_seconds", rule)
    return float(value)


def _health_endpoint(fields: Fields, host: str, port: int) -> str:
    field, longest = "health_endpoint", bounds.MAX_HEALTH_ENDPOINT_LENGTH
    value = _text(fields, field, longest)
    if value and not is_endpoint(value, host, port):
        raise _invalid(field, ENDPOINT_RULE)
    return value


def _tags(fields: Fields) -> tuple[str, ...]:
    value = fields.get("tags")
    if value is None:
        return ()
    if not isinstance(value, list):
        raise _invalid("tags", f"must be a list of strings, not {_kind(value)}")
    if len(value) > bounds.MAX_TAGS:
        raise _invalid("tags", f"may hold at most {bounds.MAX_TAGS}")
    tags = [_printable(tag, "tags", bounds.MAX_TAG_LENGTH) for tag in value]
    if "" in tags:
        raise _invalid("tags", "may not hold an empty string")
    unique = tuple(dict.fromkeys(tags))
    if len(orjson.dumps(unique)) > bounds.MAX_TAGS_BYTES:
        rule = f"may have at most {bounds.MAX_TAGS_BYTES} bytes together, as JSON"
        raise _invalid("tags", rule)
    return unique


def _metadata(fields: Fields) -> dict[str, MetadataValue]:
    value = fields.get("metadata")
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _invalid("metadata", f"must be an object, not {_kind(value)}")
    if len(value) > bounds.MAX_METADATA_KEYS:
        raise _invalid("metadata", f"may hold at most {bounds.MAX_METADATA_KEYS} keys")
    longest = bounds.MAX_METADATA_KEY_LENGTH
    metadata: dict[str, MetadataValue] = {}
    for key, item in value.items():
        if not 1 <= len(key) <= longest or not key.isprintable():
            rule = f"keys must have 1 to {longest} printable characters"
            raise _invalid("metadata", rule)
        metadata[key] = _metadata_value(item, f"metadata.{key}")
    if len(orjson.dumps(metadata)) > bounds.MAX_METADATA_BYTES:
        rule = f"may have at most {bounds.MAX_METADATA_BYTES} bytes as JSON"
        raise _invalid("metadata", rule)
    return metadata


def _metadata_value(value: object, field: str) -> MetadataValue:
    if isinstance(value, str):
        longest = bounds.MAX_METADATA_STRING_LENGTH
        if len(value) > longest:
            raise _invalid(field, f"may have at most {longest} characters")
        return value
    # Also a boolean, which is an int in Python and in range.
    if isinstance(value, int | float):
        low, high = bounds.MIN_METADATA_INTEGER, bounds.MAX_METADATA_INTEGER
        # The parser makes a fraction of a whole number beyond 64 bits, rounded: the
        # lower bound as a fraction is what the whole numbers just below it become.
        if not low <= value <= high or (value == low and isinstance(value, float)):
            raise _invalid(field, f"must be from {low} to {high}")
        return value
    raise _invalid(field, f"must be a string, number or boolean, not {_kind(value)}")


_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a fraction or beyond 64 bits",
    type(None): "null",
}


def _kind(value: object) -> str:
    return _KINDS[type(value)]
