"""The rules of a registration, field by field: what is taken, or the precise error.

They alone decide what is right. Most bodies take the quicker step before them
(`registration_typed.py`), which must agree with them in everything it takes.
"""

import re

import orjson

from registry.api.addresses import ENDPOINT_RULE, HOST_RULE, is_endpoint, is_host
from registry.api.checks import check
from registry.api.fields import (
    NAME,
    SERVICE_ID,
    Fields,
    integer,
    invalid,
    json_object,
    kind_of,
    pattern_rule,
    printable,
    required_text,
    text,
)
from registry.catalog import bounds
from registry.model import MetadataValue, ServiceId, ServiceName, Status
from registry.registrar import RegistrationRequest

INITIAL = {s.value: s for s in (Status.HEALTHY, Status.STARTING)}
"""What a registration may begin as."""


def by_rules(body: bytes) -> RegistrationRequest:
    """Parse the body of ``POST /register``. Raises InvalidJson or InvalidField."""
    fields = json_object(body)
    wanted_id = fields.get("service_id")
    host, port = _host(fields), _port(fields)
    endpoint = _health_endpoint(fields, host, port)
    return RegistrationRequest(
        name=ServiceName(_matching(fields, "name", NAME, bounds.MAX_NAME_LENGTH)),
        host=host,
        port=port,
        service_id=None
        if wanted_id is None
        else ServiceId(
            _matching(fields, "service_id", SERVICE_ID, bounds.MAX_SERVICE_ID_LENGTH)
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


def _matching(
    fields: Fields, field: str, pattern: re.Pattern[str], max_length: int
) -> str:
    value = required_text(fields, field)
    if pattern.fullmatch(value) is None:
        raise invalid(field, pattern_rule(pattern, max_length))
    return value


def _host(fields: Fields) -> str:
    value = required_text(fields, "host")
    if not is_host(value):
        raise invalid("host", HOST_RULE)
    return value


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
    initial = INITIAL.get(status) if isinstance(status, str) else None
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
