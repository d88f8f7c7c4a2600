"""Requests in pieces, and bodies that look like requests."""

import pytest

from tests.support.differential import Manner, both
from tests.support.http_bytes import (
    bytewise,
    chunked,
    cut_in_two,
    get,
    heartbeat,
    register,
    request,
)

INNER = get() + heartbeat("web-2")
LOOKS_LIKE = [
    request("POST", "/register", body=INNER),
    request("POST", "/heartbeat/web-1", body=INNER),
    request("POST", "/nowhere", body=INNER),
    request("GET", "/services/web", body=INNER),
    request("GET", "/services/gone", body=INNER),
    request("HEAD", "/services/web", body=INNER),
    request("DELETE", "/deregister/web-3", body=INNER),
    chunked("POST", "/register", INNER),
    chunked("GET", "/services/web", INNER, INNER),
    chunked("POST", "/heartbeat/web-1", b'{"status":', b'"unhealthy"}'),
]
MANNERS = [Manner(turns=1), Manner(holds_writes=True)]


@pytest.mark.slow
@pytest.mark.parametrize("manner", MANNERS)
@pytest.mark.parametrize(
    "data",
    [
        get() + get("/services/api"),
        get() + heartbeat() + get(),
        register() + get(),
        heartbeat("nobody") + get("/services/gone"),
    ],
)
async def test_a_cut_at_any_byte_changes_nothing(data: bytes, manner: Manner) -> None:
    """Not in a line, between CR and LF, nor at the border of two requests."""
    async with both() as sides:
        for pieces in cut_in_two(data):
            await sides.agree(pieces, manner)
        await sides.agree(bytewise(data), manner)


@pytest.mark.slow
@pytest.mark.parametrize("data", LOOKS_LIKE)
async def test_what_looks_like_requests_in_a_body_is_a_body(data: bytes) -> None:
    """Or one request is smuggled in by another; however it is cut."""
    last = get()
    async with both() as sides:
        await sides.agree([data + last])
        await sides.agree([get() + data + last])
        await sides.agree(bytewise(data + last))
        for pieces in cut_in_two(data):
            await sides.agree([*pieces, last])


@pytest.mark.parametrize("missing", [1, 10, len(INNER)])
@pytest.mark.parametrize("data", LOOKS_LIKE)
async def test_a_body_that_does_not_end_hides_what_follows(
    data: bytes, missing: int
) -> None:
    """As many bytes as were announced belong to it, also those of a hot request."""
    async with both() as sides:
        await sides.agree([data[:-missing], get(), get()])
        await sides.agree([data[:-missing] + get(), get()])


async def test_a_cut_request_is_the_last_that_is_not_hot() -> None:
    """One piece too many must not leave its connection slow for ever."""
    async with both() as sides:
        await sides.agree([get()[:20], get()[20:], get(), get()], hot=2)
        await sides.agree([get() + get()[:20], get()[20:], get()], hot=1)
        await sides.agree([register()[:-5], register()[-5:], heartbeat()], hot=1)
