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
        (ConnectionResetError("Connection lost"), "connection reset", True),
        (BrokenPipeError(), "connection reset", True),
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


@pytest.mark.parametrize(
    "number", [errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM]
)
def test_what_we_lack_says_nothing_of_the_target(number: int) -> None:
    """Nor does what its other addresses met, as one of them could not be asked."""
    several = f"Multiple exceptions: [Errno {errno.ECONNREFUSED}] a, [Errno {number}] b"

    for result in (
        connect_failed(OSError(number, "x")),
        connect_failed(OSError(several)),
        failure_of(OSError(number, "x")),
    ):
        assert result.is_ours
        assert not result.is_unreachable
        assert result.cause.endswith("left in the registry")


def test_all_else_is_the_targets_own() -> None:
    """A silent name server as well, or it would hide that its services are gone."""
    assert not failed("name server does not answer").is_ours
    assert not timed_out(5.0).is_ours
    assert not connect_failed(ConnectionRefusedError(errno.ECONNREFUSED, "")).is_ours


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


def test_descriptors_bound_what_is_kept() -> None:
    """The log, the clients and the probes under way need theirs."""
    assert [kept_connections(n) for n in (1024, 20_000, 2)] == [96, 2000, 1]


def test_unreadable_authorities_are_said_so() -> None:
    """At the start, with the name of the setting."""
    with pytest.raises(ValueError, match=r"health_check\.tls_ca_file: /no/such"):
        tls_context(verify=True, ca_file="/no/such")
