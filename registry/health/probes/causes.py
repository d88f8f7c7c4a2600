"""Why a probe failed, in a few words that are the same on every platform.

The words end up in an instance's cause (`check_failed: connect refused (3 of 3)`), so
they are short, printable, and never hold what the target has sent.
"""

import errno
import re
from dataclasses import replace

from registry.ports import ProbeResult

REFUSED = "connect refused"
NO_ROUTE = "no route to host"
RESET = "connection reset"
NO_ANSWER = "no answer to connect"
NAME_NOT_FOUND = "name not found"
NAME_SERVER_SILENT = "name server does not answer"
NO_DESCRIPTOR = "no descriptor left in the registry"
NO_MEMORY = "no memory left in the registry"
NOT_HERE = "this kind cannot be checked here"
MAX_CAUSE_CHARS = 120

_BY_ERRNO = {
    errno.ECONNREFUSED: REFUSED,
    errno.ECONNRESET: RESET,
    errno.ECONNABORTED: RESET,
    errno.EPIPE: RESET,
    errno.EHOSTUNREACH: NO_ROUTE,
    errno.ENETUNREACH: NO_ROUTE,
    errno.EHOSTDOWN: NO_ROUTE,
    errno.ENETDOWN: NO_ROUTE,
    errno.EADDRNOTAVAIL: NO_ROUTE,
    errno.EAFNOSUPPORT: NO_ROUTE,
    errno.EMFILE: NO_DESCRIPTOR,
    errno.ENFILE: NO_DESCRIPTOR,
    errno.ENOBUFS: NO_MEMORY,
    errno.ENOMEM: NO_MEMORY,
    errno.EACCES: "not permitted to connect",
    errno.EPERM: "not permitted to connect",
}
_ERRNO = re.compile(r"\[Errno ([0-9]{1,4})\]")
_BROKEN = (BrokenPipeError, ConnectionAbortedError, ConnectionResetError)
"""Loops and libraries raise these without a number, too."""
_UNREACHABLE = frozenset({REFUSED, NO_ROUTE, RESET})
_OURS = frozenset({NO_DESCRIPTOR, NO_MEMORY, NOT_HERE})
"""They say nothing of the target."""


class NotReached(OSError):
    """No connection was tried or made, for a reason that is already in words."""

    def __init__(self, cause: str) -> None:
        super().__init__(cause)
        self.cause = cause


def failed(cause: str) -> ProbeResult:
    """Return a failure of a target that could be reached, or never was asked."""
    text = cause if cause.isprintable() else ascii(cause)
    return ProbeResult(
        passed=False, cause=text[:MAX_CAUSE_CHARS] or "failed", is_ours=cause in _OURS
    )


def timed_out(timeout_s: float) -> ProbeResult:
    """Return the failure of a probe that used its time up."""
    return failed(f"timed out after {timeout_s:g} s")


def denied(refusal: str) -> str:
    """Return the cause for an address that the rules refuse."""
    return f"address denied: {refusal}"


def connect_failed(error: OSError) -> ProbeResult:
    """Return the failure of a connection that did not come about."""
    result = failed(_words(error))
    return replace(result, is_unreachable=result.cause in _UNREACHABLE)


def failure_of(error: Exception) -> ProbeResult:
    """Return the failure for what a probe raised after it was connected."""
    if isinstance(error, OSError):
        return failed(_words(error))
    return failed(type(error).__name__)


def _words(error: OSError) -> str:
    if isinstance(error, NotReached):
        return error.cause
    if isinstance(error, TimeoutError):
        return NO_ANSWER
    numbers = [error.errno] if error.errno else []
    # Several addresses that failed in several ways are one error, told in its text.
    numbers += [int(number) for number in _ERRNO.findall(str(error))]
    known = [_BY_ERRNO[number] for number in numbers if number in _BY_ERRNO]
    if not known and isinstance(error, _BROKEN):
        return RESET
    if not known:
        return error.strerror or type(error).__name__
    # An address that could not be tried leaves the others' failures open; one of a
    # family without a route says less than what the other one met.
    return min(known, key=lambda words: (words not in _OURS, words == NO_ROUTE))
