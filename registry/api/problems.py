"""Every answer that is not a success: RFC 9457 problem documents with a stable code.

The one place where errors become HTTP. Nothing of an unexpected exception is told to
the client but an id, under which it is logged.
"""

import http
import uuid

import orjson
import structlog
from aiohttp import web

from registry.errors import (
    BadRequest,
    BodyTooLarge,
    InternalError,
    MalformedRequest,
    MethodNotAllowed,
    NotFound,
    RegistryError,
)

PROBLEM_JSON = "application/problem+json"

_log = structlog.stdlib.get_logger("registry.api")


def problem_response(error: RegistryError) -> web.Response:
    """Render one error: type, title, status, detail, code, whether a
    retry is safe, and the field at fault."""
    document: dict[str, object] = {
        "type": f"urn:service-registry:problem:{error.code}",
        "title": error.title,
        "status": error.status,
        "detail": error.detail or error.title,
        "code": error.code,
        "retry_safe": error.retry_safe,
    }
    headers = {}
    if error.field:
        document["field"] = error.field
    if isinstance(error, InternalError):
        document["error_id"] = error.error_id
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allow)
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    return web.Response(
        status=error.status,
        body=orjson.dumps(document),
        content_type=PROBLEM_JSON,
        headers=headers,
    )


def from_http(error: web.HTTPException, path: str) -> RegistryError:
    """Translate what aiohttp raises by itself: unknown paths, methods, large bodies."""
    if isinstance(error, web.HTTPMethodNotAllowed):
        allow = tuple(sorted(error.allowed_methods))
        return MethodNotAllowed(f"{error.method} is not allowed here", allow=allow)
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return body_too_large()
    if isinstance(error, web.HTTPNotFound):
        if "//" in path:
            return NotFound("the path holds an empty segment (//)")
        return NotFound("see the README for the paths of this API")
    return from_status(error.status, error.reason)


def from_status(status: int, detail: str) -> RegistryError:
    """Return the error for an HTTP refusal that has no leaf of its own."""
    if status >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return InternalError(_new_error_id())
    error = MalformedRequest(detail) if status == 400 else BadRequest(detail)
    error.status = status
    return error


def body_too_large() -> BodyTooLarge:
    """Return the refusal of a body beyond the bound, naming it."""
    return BodyTooLarge(f"a body may have at most {MAX_BODY_BYTES} bytes")


def unexpected(exc: BaseException | None, method: str, path: str) -> InternalError:
    """Log an unexpected exception once, with its traceback, and return what to tell."""
    error = InternalError(_new_error_id())
    _log.error(
        "Request failed unexpectedly",
        error_id=error.error_id,
        method=method,
        path=path[:_LOGGED_PATH_CHARS],
        exc_info=exc,
    )
    return error


MAX_BODY_BYTES = 64 * 1024
_LOGGED_PATH_CHARS = 256


def _new_error_id() -> str:
    return uuid.uuid4().hex[:12]
