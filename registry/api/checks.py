"""The field ``check`` of a registration: how it wants to be probed.

What is left out follows the registry's settings. Which kinds there are is not known
here: the registrar is told.
"""

from registry.admission import DEFAULT_KIND
from registry.api.addresses import ENDPOINT_RULE, is_endpoint
from registry.api.fields import Fields, integer, invalid, kind_of, number, text
from registry.catalog import bounds
from registry.model import Check

MAX_KIND_LENGTH = 32
INTERVAL_S = (0.1, 86_400.0)
TIMEOUT_S = (0.05, 300.0)
MAX_TIMES = 1_000
"""Of failures, and of successes, in a row."""
HTTP_STATUS = (100, 599)
DEFAULT_PATH = "/health"


def check(value: object, endpoint: str, host: str, port: int) -> Check | None:
    """Parse the field; ``endpoint`` is the registration's ``health_endpoint``.

    Raises InvalidField, which names the field inside of it (``check.path``).
    """
    if value is None:
        return None
    if not isinstance(value, dict):
        raise invalid("check", f"must be an object, not {kind_of(value)}")
    # By their whole names, so that every refusal names the field as it was sent.
    fields: Fields = {f"check.{name}": item for name, item in value.items()}
    kind = text(fields, "check.kind", MAX_KIND_LENGTH)
    if not kind and fields.get("check.kind") is not None:
        raise invalid("check.kind", f"must have 1 to {MAX_KIND_LENGTH} characters")
    kind = kind or DEFAULT_KIND
    interval_s = number(fields, "check.interval_seconds", *INTERVAL_S)
    timeout_s = number(fields, "check.timeout_seconds", *TIMEOUT_S)
    status = integer(fields, "check.expected_status", *HTTP_STATUS)
    return Check(
        kind=kind,
        path=_path(fields, kind, endpoint, host, port),
        interval_seconds=interval_s or 0.0,
        timeout_seconds=timeout_s or 0.0,
        failures=integer(fields, "check.failures", 1, MAX_TIMES) or 0,
        successes=integer(fields, "check.successes", 1, MAX_TIMES) or 0,
        expected_status=status or 0,
    )


def _path(fields: Fields, kind: str, endpoint: str, host: str, port: int) -> str:
    path = text(fields, "check.path", bounds.MAX_HEALTH_ENDPOINT_LENGTH)
    if kind != DEFAULT_KIND:
        return path
    if path and not is_endpoint(path, host, port):
        raise invalid("check.path", ENDPOINT_RULE)
    return path or endpoint or DEFAULT_PATH
