"""The words of a failure: short, the same everywhere, never the target's own."""

import errno

import pytest

from registry.health.probes import KINDS
from registry.health.probes.causes import (
    MAX_CAUSE_CHARS,
    NotReached,
    connect_failed,
    failed,
    failure_of,
    timed_out,
)
from registry.health.probes.prober import available, kept_connections, tls_context


@pytest.mark.parametrize(
    ("error", "cause", "is_unreachable"),
    [
        (OSError(errno.ECONNREFUSED, "x"), "connect refused", True),
        (OSError(errno.EHOSTUNREACH, "x"), "no route to host", True),
        (OSError(errno.ECONNRESET, "x"), "connection reset", True),
        (OSError(errno.ETIMEDOUT, "x"), "no answer to connect", False),
        (TimeoutError(), "no answer to connect", False),
        (OSError(errno.EMFILE, "x"), "no descriptor left in the registry", False),
        (NotReached("name not found"), "name not found", False),
        (OSError("odd"), "OSError", False),
        (OSError(f"Multiple exceptions: [Errno {errno.ENETUNREACH}] a, "
                 f"[Errno {errno.ECONNREFUSED}] b"), "connect refused", True),
    ],
)  # fmt: skip
def test_a_failed_connection_has_one_wording(
    error: OSError, cause: str, is_unreachable: bool
) -> None:
    """The pace of the next probes hangs on whether the answer came at once."""
    result = connect_failed(error)

    assert (result.passed, result.cause) == (False, cause)
    assert result.is_unreachable is is_unreachable


def test_causes_are_short_printable_and_never_empty() -> None:
    """They are replicated, and shown in a terminal."""
    assert len(failed("x" * 5000).cause) == MAX_CAUSE_CHARS
    assert failed("\x1b[2J").cause.isprintable()
    assert failed("").cause
    assert failure_of(KeyError("secret")).cause == "KeyError"
    assert not failure_of(ConnectionResetError(errno.ECONNRESET, "")).is_unreachable
    assert timed_out(5.0).cause == "timed out after 5 s"


def test_the_table_says_what_can_be_checked() -> None:
    """A registration for a kind that is not there is refused."""
    assert KINDS == ("http", "tcp", "grpc")
    assert available("http")
    assert available("tcp")
    assert not available("smtp")


def test_a_quarter_of_the_descriptors_bounds_what_is_kept() -> None:
    """The log and the clients need theirs."""
    assert [kept_connections(n) for n in (1024, 20_000, 2)] == [256, 2000, 1]


def test_unreadable_authorities_are_said_so() -> None:
    """At the start, with the name of the setting."""
    with pytest.raises(ValueError, match=r"health_check\.tls_ca_file: /no/such"):
        tls_context(verify=True, ca_file="/no/such")
