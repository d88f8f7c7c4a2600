"""Request bodies and path parts as values of the use cases, or one precise error.

Everything is checked here against `catalog/bounds.py`, and trusted from then on. Types
are strict (a boolean is no integer, "8500" is no port), unknown fields are ignored, and
null means absent. The content type is not looked at: the seed's users send what they
like. The rules of a registration are in `registration_rules.py`; most need not be asked
(`registration_typed.py`).
"""

import asyncio

import orjson
from aiohttp import ClientError, web

from registry.api.addresses import HOST_RULE, is_host
from registry.api.fields import (
    NAME,
    SERVICE_ID,
    invalid,
    json_object,
    number,
    pattern_rule,
    text,
)
from registry.api.problems import body_too_large
from registry.api.registration_rules import by_rules
from registry.api.registration_typed import typed
from registry.catalog import bounds
from registry.drains import DrainRequest
from registry.errors import (
    BodyTimeout,
    MalformedRequest,
    UnknownServiceId,
)
from registry.model import ServiceId, ServiceName, Status
from registry.registrar import RegistrationRequest, StatusReport

BODY = web.RequestKey("body", bytes)
"""Where a request keeps the body that was read, for whoever tells of its refusal."""

MAX_REASON_LENGTH = 200
MIN_DRAIN_SECONDS = 1.0
MAX_DRAIN_SECONDS = 2_592_000.0
"""Thirty days."""

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
    # Most are plainly right; the rules have the last word on all others.
    return typed(body) or by_rules(body)


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
    if NAME.fullmatch(part) is None:
        raise invalid("service_name", pattern_rule(NAME, bounds.MAX_NAME_LENGTH))
    return ServiceName(part)


def service_id(part: str) -> ServiceId:
    """Check the id in a path. One that cannot exist is unknown like any other."""
    if SERVICE_ID.fullmatch(part) is None:
        raise UnknownServiceId("no registration can have that id")
    return ServiceId(part)
