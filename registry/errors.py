"""Why the registry refused or could not finish something, and what is true after it.

    RegistryError
    +- BadRequest             400  nothing was done; mend the request first
    |  +- InvalidJson         400  the body is no JSON object
    |  +- InvalidField        400  one field breaks its bound; ``field`` names it
    |  +- MalformedRequest    400  no valid HTTP, or the body broke off
    |  +- BodyTimeout         408  the body came too slowly
    |  +- BodyTooLarge        413  more than 64 KiB of body
    |  +- AddressDenied       400  its check would ask an address that none may
    +- NotFound               404  no such path
    +- MethodNotAllowed       405  the path exists, the method does not
    +- UnknownServiceId       404  no such registration: register again
    +- ServiceIdTaken         409  the id belongs to a service of another name
    +- NotDrained             409  the instance is not drained: nothing to end
    +- CatalogFull            507  a bound of the catalog; nothing was changed
    |  +- TooManyRegistrations
    |  +- TooManyServices
    |  +- TooManyBytes
    |  +- TooManyDrains
    +- NotReplicated          503  certainly not in the log; a retry is safe
    |  +- NoLeader                 nobody led until the deadline
    |  +- Overloaded               too much is waiting already
    |  +- DiskLow                  too little disk is free to take writes
    |  +- UpgradePending           a member of an older version does not know it yet
    |  +- Stopping                 this replica is shutting down; ask another
    +- NotCaughtUp            503  may not answer yet (I10); a retry is safe
    +- DiskFailed             503  this replica's disk is gone; ask another
    +- IndexNotReached        504  ``min_index`` was not applied by the deadline
    +- OutcomeUnknown         504  may or may not be in the log; retry the idempotent
    +- InternalRefusal        500  the catalog's handler failed; nothing was changed
    +- InternalError          500  a defect of ours; logged under the ``error_id`` told

Each leaf carries its HTTP status, a stable ``code`` for programs, and whether the same
request may be sent again unchanged without harm. ``retry_after_s`` is set where that
also promises to help.
"""


class RegistryError(Exception):
    """The base; ``detail`` is for people and names the bound or the cause."""

    status = 500
    code = "internal_error"
    title = "The registry failed"
    retry_safe = False
    retry_after_s: int | None = None

    def __init__(self, detail: str = "", *, field: str = "") -> None:
        super().__init__(detail)
        self.detail = detail
        self.field = field


class BadRequest(RegistryError):
    """The request is wrong as it stands; nothing was done."""

    status = 400
    code = "bad_request"
    title = "The request is not valid"


class InvalidJson(BadRequest):
    """The body is not a JSON object in UTF-8."""

    code = "invalid_json"
    title = "The body is not a valid JSON object"


class InvalidField(BadRequest):
    """One field, query option or path part breaks its bound."""

    code = "invalid_field"
    title = "A field is not valid"


class MalformedRequest(BadRequest):
    """The bytes are no valid HTTP request, or broke off in the body."""

    code = "malformed_request"
    title = "The request is not valid HTTP"


class BodyTimeout(BadRequest):
    """The body did not arrive in time."""

    status = 408
    code = "body_timeout"
    title = "The body arrived too slowly"
    retry_safe = True


class BodyTooLarge(BadRequest):
    """The body, or the command made of it, exceeds its bound."""

    status = 413
    code = "body_too_large"
    title = "The body is too large"


class AddressDenied(BadRequest):
    """The host is an address that health checks may not ask, and it has a check."""

    code = "address_denied"
    title = "Health checks may not ask this address"


class NotFound(RegistryError):
    """There is no such path."""

    status = 404
    code = "not_found"
    title = "There is no such path"


class MethodNotAllowed(RegistryError):
    """The path exists, but not with this method."""

    status = 405
    code = "method_not_allowed"
    title = "The path does not take this method"

    def __init__(self, detail: str, *, allow: tuple[str, ...]) -> None:
        super().__init__(detail)
        self.allow = allow


class UnknownServiceId(RegistryError):
    """No registration has this id (any more): the client should register again."""

    status = 404
    code = "unknown_service_id"
    title = "There is no such registration"
    retry_safe = True


class ServiceIdTaken(RegistryError):
    """The id is registered under another service name."""

    status = 409
    code = "service_id_taken"
    title = "The service_id belongs to another service"


class NotDrained(RegistryError):
    """There is no drain to end; a repeated undrain finds this, too."""

    status = 409
    code = "not_drained"
    title = "The instance is not drained"
    retry_safe = True


class CatalogFull(RegistryError):
    """A bound of the catalog is reached. 507, not 429: waiting alone does not help."""

    status = 507
    code = "catalog_full"
    title = "The catalog is full"
    retry_safe = True


class TooManyRegistrations(CatalogFull):
    """The catalog holds as many registrations as it may."""

    code = "too_many_registrations"


class TooManyServices(CatalogFull):
    """The catalog holds as many service names as it may."""

    code = "too_many_services"


class TooManyBytes(CatalogFull):
    """The registrations are as large together as they may be."""

    code = "too_many_bytes"


class TooManyDrains(CatalogFull):
    """As many instances are drained as may be; those named before it are drained."""

    code = "too_many_drains"


class NotReplicated(RegistryError):
    """The command is certainly not in the log."""

    status = 503
    code = "not_replicated"
    title = "The cluster did not take the command"
    retry_safe = True
    retry_after_s = 1


class NoLeader(NotReplicated):
    """Nobody led, or the leader was out of reach, until the deadline."""

    code = "no_leader"
    title = "The cluster has no leader within reach"


class Overloaded(NotReplicated):
    """Too many commands are waiting already."""

    code = "overloaded"
    title = "Too much is waiting already"


class DiskLow(NotReplicated):
    """Too little disk is free to take writes."""

    code = "disk_low"
    title = "Too little disk is free"
    retry_after_s = 30


class UpgradePending(NotReplicated):
    """It needs all members upgraded first; what older versions know goes on."""

    code = "upgrade_pending"
    title = "Not every member understands this yet"
    retry_after_s = 30


class Stopping(NotReplicated):
    """This replica is shutting down; the others take the command."""

    code = "stopping"
    title = "This replica is shutting down"


class NotCaughtUp(RegistryError):
    """This replica has not applied the present leader's log: it may not answer yet."""

    status = 503
    code = "not_caught_up"
    title = "This replica has not caught up yet"
    retry_safe = True
    retry_after_s = 1


class DiskFailed(RegistryError):
    """This replica's disk has failed; the others go on."""

    status = 503
    code = "disk_failed"
    title = "This replica's disk has failed"
    retry_safe = True
    retry_after_s = 1


class IndexNotReached(RegistryError):
    """The index asked for was not applied here by the deadline."""

    status = 504
    code = "index_not_reached"
    title = "This replica has not applied that index yet"
    retry_safe = True
    retry_after_s = 1


class OutcomeUnknown(RegistryError):
    """The deadline passed while the command was under way: it may yet take effect."""

    status = 504
    code = "outcome_unknown"
    title = "The command may or may not take effect"


class InternalRefusal(RegistryError):
    """The catalog's handler failed on this command everywhere; nothing changed."""

    code = "internal_refusal"
    title = "The catalog could not carry out the command"


class InternalError(RegistryError):
    """A defect of ours, logged with its traceback under ``error_id``."""

    def __init__(self, error_id: str) -> None:
        super().__init__(f"unexpected failure, logged under {error_id}")
        self.error_id = error_id
