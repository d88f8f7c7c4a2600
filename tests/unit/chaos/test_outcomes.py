"""What a client may conclude from an answer: too bold, and every judgement is wrong."""

import asyncio
import re

import aiohttp
import pytest

from registry import errors
from registry.api.problems import problem_response
from registry.errors import RegistryError
from tests.chaos.evidence import DONE, REFUSED, UNKNOWN
from tests.chaos.workload.calls import (
    NOTHING_DONE,
    outcome_of,
    outcome_without,
)
from tests.chaos.workload.web import Broken
from tests.support.readme import TOP

UNCERTAIN = {
    "catalog_full",
    "disk_failed",
    "index_not_reached",
    "internal_error",
    "internal_refusal",
    "not_replicated",
    "outcome_unknown",
    "too_many_bytes",
    "too_many_drains",
    "too_many_registrations",
    "too_many_services",
}
"""Of which nothing is concluded, though more may be true of some."""


def leaves(of: type[RegistryError] = RegistryError) -> list[RegistryError]:
    """Return one error of each class of the registry's."""
    made: RegistryError
    if of is errors.MethodNotAllowed:
        made = errors.MethodNotAllowed("PUT", allow=("GET",))
    else:
        made = of("an example")
    return [made, *(leaf for kind in of.__subclasses__() for leaf in leaves(kind))]


def judged(error: RegistryError) -> tuple[str, str]:
    """Return the outcome of the answer that this error becomes."""
    response = problem_response(error)
    assert isinstance(response.body, bytes)
    return outcome_of(response.status, response.body)


def test_a_200_is_done() -> None:
    """Whatever its body."""
    assert outcome_of(200, b'{"service_id": "x"}') == (DONE, "")


@pytest.mark.parametrize("error", leaves(), ids=lambda error: type(error).__name__)
def test_every_problem_of_the_registry_has_its_outcome(error: RegistryError) -> None:
    """A new error must be thought about: it is in neither list, and fails here."""
    is_certain = error.status < 500 or error.code in NOTHING_DONE

    assert is_certain != (error.code in UNCERTAIN)
    assert judged(error) == (REFUSED if is_certain else UNKNOWN, error.code)


def test_what_counts_as_nothing_done_is_what_the_readme_says() -> None:
    """Clients read the README, so the checkers hold the registry to it."""
    lines = (TOP / "README.md").read_text().splitlines()
    (row,) = [line for line in lines if line.endswith("nothing was done |")]

    assert set(re.findall(r"`([a-z_]+)`", row)) == NOTHING_DONE


def test_a_503_that_is_not_safe_to_repeat_is_unknown() -> None:
    """The code alone does not promise that nothing was done."""
    body = b'{"code": "no_leader", "retry_safe": false}'

    assert outcome_of(503, body) == (UNKNOWN, "no_leader")


@pytest.mark.parametrize("status", [304, 400, 404, 502, 503])
@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b"[]", b'{"code": ""}'])
def test_an_answer_without_a_code_is_unknown(status: int, body: bytes) -> None:
    """It is from something between us and the registry, which we know nothing of."""
    assert outcome_of(status, body) == (UNKNOWN, f"http_{status}")


def without(error: BaseException, cause: BaseException | None) -> tuple[str, str]:
    """Return the outcome of an error as it is raised: from a cause."""
    error.__cause__ = cause
    return outcome_without(error)


def test_a_deadline_that_passed_is_unknown() -> None:
    """The request may be carried out yet. The time-out comes from a cancellation."""
    timed_out = without(TimeoutError(), asyncio.CancelledError())

    assert timed_out == (UNKNOWN, "TimeoutError")


def test_a_connection_that_broke_is_unknown_and_says_how() -> None:
    """Sent, perhaps carried out, and the replica died before it answered."""
    reset = aiohttp.ClientOSError(104, "reset by peer")

    assert without(Broken(), reset) == (UNKNOWN, "ClientOSError")
    assert without(aiohttp.ClientPayloadError(), None) == (
        UNKNOWN,
        "ClientPayloadError",
    )
