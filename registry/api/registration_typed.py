"""Registrations that are plainly right, in one typed step of msgspec.

``typed`` takes a body only if the rules (`registration_rules.py`) would take it with
the same values, and leaves all else to them, so a refusal is always theirs. What keeps
the two together, whatever their JSON parsers are:

- Text is ASCII without escapes, so all of it is printable (both parsers refuse control
  characters) and as long in the body as it was sent.
- No unknown field: what a parser skips it may not check.
- Whole numbers within 64 bits, signed; beyond, one parser makes fractions of them.
- The body is so short that tags and metadata are within their bytes, though a fraction
  may become longer when written anew.
"""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from registry.api.addresses import is_endpoint, is_host
from registry.api.checks import check
from registry.api.fields import NAME, SERVICE_ID
from registry.api.registration_rules import INITIAL
from registry.catalog import bounds
from registry.model import ServiceId, ServiceName
from registry.registrar import RegistrationRequest

_LONGEST_FRACTION = 24
MAX_BODY_BYTES = min(
    bounds.MAX_TAGS_BYTES,
    bounds.MAX_METADATA_BYTES - bounds.MAX_METADATA_KEYS * _LONGEST_FRACTION,
)
_BACKSLASH, _DELETE = 0x5C, 0x7F

_Id = Annotated[ServiceId, Meta(max_length=bounds.MAX_SERVICE_ID_LENGTH)]
_Endpoint = Annotated[str, Meta(max_length=bounds.MAX_HEALTH_ENDPOINT_LENGTH)]
_Weight = Annotated[int, Meta(ge=bounds.MIN_WEIGHT, le=bounds.MAX_WEIGHT)]
_Tag = Annotated[str, Meta(min_length=1, max_length=bounds.MAX_TAG_LENGTH)]
_Tags = Annotated[tuple[_Tag, ...], Meta(max_length=bounds.MAX_TAGS)]
_LOW, _HIGH = bounds.MIN_METADATA_INTEGER, bounds.MAX_METADATA_INTEGER
_Value = (
    Annotated[str, Meta(max_length=bounds.MAX_METADATA_STRING_LENGTH)]
    | Annotated[int, Meta(ge=_LOW, le=2**63 - 1)]
    | Annotated[float, Meta(gt=float(_LOW), lt=float(_HIGH + 1))]
    | bool
)
_Key = Annotated[str, Meta(min_length=1, max_length=bounds.MAX_METADATA_KEY_LENGTH)]
_Metadata = Annotated[dict[_Key, _Value], Meta(max_length=bounds.MAX_METADATA_KEYS)]


class _Body(
    msgspec.Struct, frozen=True, gc=False, kw_only=True, forbid_unknown_fields=True
):
    name: Annotated[ServiceName, Meta(max_length=bounds.MAX_NAME_LENGTH)]
    host: Annotated[str, Meta(max_length=bounds.MAX_HOST_LENGTH)]
    port: Annotated[int, Meta(ge=bounds.MIN_PORT, le=bounds.MAX_PORT)]
    service_id: _Id | None = None
    ttl_seconds: Annotated[float, Meta(le=bounds.MAX_TTL_SECONDS)] | None = None
    health_endpoint: _Endpoint | None = None
    metadata: _Metadata | None = None
    tags: _Tags | None = None
    zone: Annotated[str, Meta(max_length=bounds.MAX_ZONE_LENGTH)] | None = None
    weight: _Weight | None = None
    version: Annotated[str, Meta(max_length=bounds.MAX_VERSION_LENGTH)] | None = None
    check: dict[str, _Value | None] | None = None
    initial_status: Literal["healthy", "starting"] | None = None


_decode = msgspec.json.Decoder(_Body).decode


def typed(body: bytes) -> RegistrationRequest | None:
    """Parse the body of ``POST /register``; None leaves it to the rules.

    Raises InvalidField of ``check``, which has its own rules.
    """
    if len(body) > MAX_BODY_BYTES or not body.isascii():
        return None
    if _BACKSLASH in body or _DELETE in body:
        return None
    try:
        sent = _decode(body)
    except msgspec.DecodeError:
        return None
    host, port = sent.host, sent.port
    ttl_s, endpoint = sent.ttl_seconds, sent.health_endpoint or ""
    # What no type can say.
    if (
        NAME.fullmatch(sent.name) is None
        or not is_host(host)
        or (
            sent.service_id is not None
            and SERVICE_ID.fullmatch(sent.service_id) is None
        )
        or (ttl_s and ttl_s < bounds.MIN_TTL_SECONDS)
        or (endpoint and not is_endpoint(endpoint, host, port))
    ):
        return None
    return RegistrationRequest(
        name=sent.name,
        host=host,
        port=port,
        service_id=sent.service_id,
        ttl_seconds=None if ttl_s is None else ttl_s or 0.0,  # Not -0.0.
        health_endpoint=endpoint,
        metadata={} if sent.metadata is None else sent.metadata,
        tags=() if sent.tags is None else tuple(dict.fromkeys(sent.tags)),
        zone=sent.zone or "",
        weight=1 if sent.weight is None else sent.weight,
        version=sent.version or "",
        check=None if sent.check is None else check(sent.check, endpoint, host, port),
        initial_status=None
        if sent.initial_status is None
        else INITIAL[sent.initial_status],
    )
