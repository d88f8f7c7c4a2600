"""When answers and ends come: in virtual time, so to the instant."""

import asyncio
from typing import NoReturn

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.differential import Settings, Side
from tests.support.http_bytes import get, heartbeat, register, request
from tests.support.lives import (
    GATHERING,
    KEEP_ALIVE_S,
    SHORT,
    Act,
    Course,
    Stop,
    agree,
    both_lives,
    hold,
    release,
)
from tests.support.random_lives import courses

GONE = get("/services/gone")
STALLED = request("POST", "/register", body=b"{}")[:-1]


@pytest.mark.parametrize("settings", [SHORT, GATHERING])
@pytest.mark.parametrize(
    "course",
    [
        [],
        [(0, get())],
        [(9, get())],
        [(0, get()), (9, get()), (18, get())],
        [(0, heartbeat()), (9, heartbeat()), (18.5, get())],
        [(0, GONE), (9, get()), (18, GONE), (27, get())],
        [(0, get()), (9.5, GONE)],
        [(0, register()), (5, get() + heartbeat())],
        [(1, get()[:20])],
        [(1, get()[:20]), (8, get()[20:])],
        [(1, get()), (2, get()[:20])],
        [(1, get()), (2, get()[:20]), (11.5, get()[20:])],
        [(1, GONE), (2, get()[:20])],
        [(1, STALLED)],
        [(1, get()), (2, STALLED), (3, b"}"), (4, get())],
        [(1, get() + STALLED), (3, b"}" + get())],
        [(1, STALLED), (6, b"}" + get())],
        [(1, get() + get(GONE.decode()[:3]))],
        [(1, heartbeat() + get()[:9]), (2, get()[9:])],
    ],
)
def test_a_connection_ends_when_it_always_did(
    course: Course, settings: Settings
) -> None:
    """Idle for its time after the last answer, whoever gave it."""
    _, closed_at_s = agree(course, settings)

    assert closed_at_s is not None


def test_a_connection_with_hot_answers_only_ends_when_it_was_idle() -> None:
    """aiohttp never had a request of it."""
    seen, closed_at_s = agree([(2, get()), (4, heartbeat())])

    assert len(seen) == 2
    assert closed_at_s == 4 + KEEP_ALIVE_S


@pytest.mark.parametrize("sent", [heartbeat(), register(), heartbeat() + get()])
@pytest.mark.parametrize("first", [b"", get(), GONE])
def test_a_write_that_takes_long_keeps_its_connection(
    sent: bytes, first: bytes
) -> None:
    """However long it is under way, the time to be idle begins with its answer."""
    begin: list[tuple[float, Act]] = [(0, first)] if first else []
    seen, closed_at_s = agree(
        [*begin, (1, hold), (2, sent), (13, get()), (33, release)]
    )

    assert seen[-1][0] == 33
    assert closed_at_s == 33 + KEEP_ALIVE_S


@pytest.mark.parametrize("sent", [heartbeat(), register(), heartbeat() + get() * 3])
@pytest.mark.parametrize("behind", [b"", get(), GONE, heartbeat("web-2")])
def test_a_stop_waits_for_the_write_under_way(sent: bytes, behind: bytes) -> None:
    """It is answered, nothing behind it is, and the connection ends."""
    course: list[tuple[float, Act]] = [(0, get()), (1, hold), (2, sent)]
    course += [(3, behind)] if behind else []
    seen, closed_at_s = agree([*course, (4, Stop()), (5, get()), (6, release)])

    assert [time_s for time_s, _ in seen] == [0, 6]
    assert seen[-1][1].count(b"HTTP/1.1 ") == 1
    assert closed_at_s == 6


@pytest.mark.parametrize("sent", [heartbeat(), register()])
def test_a_stop_does_not_wait_for_ever(sent: bytes) -> None:
    """A write that outlives it is given up; aiohttp alone waits twice its time."""
    course: Course = [(1, hold), (2, sent), (3, Stop()), (40, release)]
    (_, plain_s), (answers, fast_s) = both_lives(course)

    assert answers == []
    assert plain_s is not None
    assert fast_s is not None
    assert fast_s <= plain_s


def _cancel(side: Side) -> None:
    """Let writes be cancelled, as when what carries them out is stopped."""

    def refuse() -> NoReturn:
        raise asyncio.CancelledError

    side.cases.consensus.refuses = refuse


@pytest.mark.parametrize("sent", [heartbeat(), register(), get() + heartbeat()])
def test_a_write_that_is_cancelled_ends_its_connection(sent: bytes) -> None:
    """Nobody will ever answer it, so the client must not wait for that."""
    _, closed_at_s = agree([(0, get()), (1, _cancel), (2, sent), (3, get())])

    assert closed_at_s == 2


@pytest.mark.parametrize("last", [get(), GONE, heartbeat(), register(), get() + GONE])
def test_a_stop_ends_idle_connections_at_once(last: bytes) -> None:
    """Also those that had hot answers only."""
    _, closed_at_s = agree([(0, last), (3, Stop()), (3, get())])

    assert closed_at_s == 3


def test_gathered_heartbeats_are_answered_in_time() -> None:
    """They wait for company as long as behind aiohttp."""
    seen, _ = agree(
        [(0, heartbeat() + heartbeat("web-2") + get()), (1, get())], GATHERING
    )

    assert [time_s for time_s, _ in seen] == [0.02, 0.04, 1]


@pytest.mark.slow
@hypothesis.settings(max_examples=150, derandomize=True)
@given(course=courses, gathers=st.booleans())
def test_any_life_is_alike(course: Course, gathers: bool) -> None:
    """Whatever comes when, with writes that hang and stops in between."""
    agree(course, GATHERING if gathers else SHORT)
