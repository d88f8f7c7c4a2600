"""From what the catalog answered to the errors of the use cases."""

from registry.catalog.outcomes import Code
from registry.errors import (
    InternalRefusal,
    OutcomeUnknown,
    RegistryError,
    ServiceIdTaken,
    TooManyBytes,
    TooManyRegistrations,
    TooManyServices,
    UnknownServiceId,
)
from registry.model import ServiceId
from registry.proposals import TOOK_EFFECT

_REFUSALS: dict[Code, type[RegistryError]] = {
    Code.INTERNAL_REFUSAL: InternalRefusal,
    Code.UNKNOWN_SERVICE_ID: UnknownServiceId,
    Code.SERVICE_ID_TAKEN: ServiceIdTaken,
    Code.TOO_MANY_REGISTRATIONS: TooManyRegistrations,
    Code.TOO_MANY_SERVICES: TooManyServices,
    Code.TOO_MANY_BYTES: TooManyBytes,
}


def unknown_naming(
    service_id: ServiceId, *, is_repeatable: bool = True
) -> OutcomeUnknown:
    """Return the unknown outcome that says under which id a retry is safe.

    ``is_repeatable``: the request itself named it, so it may be sent again as it is.
    """
    unknown = OutcomeUnknown(
        "no answer by the deadline: the command may yet take effect; "
        f"a retry with the service_id {service_id} is safe"
    )
    unknown.retry_safe = is_repeatable
    return unknown


def demand(code: Code, service_id: ServiceId) -> None:
    """Raise the error that a refusal stands for."""
    if code in TOOK_EFFECT:
        return
    if code is Code.UNKNOWN_SERVICE_ID:
        raise UnknownServiceId(f"no registration has the id {service_id}")
    if code is Code.SERVICE_ID_TAKEN:
        raise ServiceIdTaken(
            f"{service_id} is registered under another service name, "
            "or was until its lease ran out not long ago"
        )
    raise _REFUSALS.get(code, InternalRefusal)(f"refused: {code.name.lower()}")
