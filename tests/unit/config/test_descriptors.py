"""The limit of open files: raised as far as allowed, and shared with a reserve."""

import resource

import pytest

from registry.descriptors import (
    MAX_DESCRIPTORS,
    RESERVED_DESCRIPTORS,
    connections_allowed,
    for_checks,
    raise_limit,
)
from registry.health.opinions import AT_ONCE
from registry.health.probes.prober import MAX_KEPT
from registry.health.scheduler import MOST_AT_ONCE

ANY = resource.RLIM_INFINITY


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ((1024, 4096), (4096, 4096)),
        ((1024, ANY), (MAX_DESCRIPTORS, ANY)),
        ((1024, MAX_DESCRIPTORS * 2), (MAX_DESCRIPTORS, MAX_DESCRIPTORS * 2)),
        ((4096, 4096), None),
        ((ANY, ANY), None),
    ],
)
def test_the_soft_limit_is_raised_to_the_hard_one(
    before: tuple[int, int], after: tuple[int, int] | None
) -> None:
    """Systems start with a soft limit for select(2), of which there is none here."""
    written: list[tuple[int, int]] = []

    assert raise_limit(lambda: before, written.append) == ""
    assert written == ([] if after is None else [after])


def test_a_limit_that_cannot_be_raised_is_told() -> None:
    """A sandbox may forbid it; the replica starts all the same."""

    def forbidden(limit: tuple[int, int]) -> None:
        raise ValueError("not allowed")

    assert raise_limit(lambda: (1, 2), forbidden) == "not allowed"


def test_clients_get_what_the_log_and_the_checks_leave() -> None:
    """Without descriptors for its log a replica must end."""
    assert connections_allowed(1024) == 576
    assert connections_allowed(100) == 64
    assert connections_allowed(ANY) == MAX_DESCRIPTORS - 256 - 4096


@pytest.mark.parametrize("limit", [512, 1024, 4096, 20_000, 1_048_576])
def test_no_more_is_given_away_than_there_is(limit: int) -> None:
    """Most goes to clients, who are many, and none of it is promised twice."""
    shares = (connections_allowed(limit), for_checks(limit), RESERVED_DESCRIPTORS)

    assert sum(shares) == limit
    assert shares[0] == max(shares) or limit == 512


def test_all_checks_at_once_find_descriptors() -> None:
    """Where the limit allows it: what is kept, probes, and opinions for others."""
    assert for_checks(20_000) >= MAX_KEPT + MOST_AT_ONCE + AT_ONCE
