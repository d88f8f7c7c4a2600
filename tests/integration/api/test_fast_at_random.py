"""Streams of requests at random, cut at random: aiohttp alone is the judge."""

import asyncio

import hypothesis
import pytest
from hypothesis import given

from tests.support.differential import Manner, both
from tests.support.http_bytes import cut
from tests.support.random_requests import damaged, manners, places, streams, whole

bounded = hypothesis.settings(max_examples=120, derandomize=True)


def _agree(pieces: list[bytes], manner: Manner) -> None:
    async def run() -> None:
        async with asyncio.timeout(20.0), both() as sides:
            await sides.agree(pieces, manner)

    asyncio.run(run())


@pytest.mark.slow
@bounded
@given(chunks=whole, manner=manners)
def test_any_whole_requests_are_answered_alike(
    chunks: list[bytes], manner: Manner
) -> None:
    """At whatever pace they come, and whatever is still under way."""
    _agree(chunks, manner)


@pytest.mark.slow
@bounded
@given(data=streams, cuts=places, manner=manners)
def test_any_requests_in_any_pieces_are_answered_alike(
    data: bytes, cuts: list[int], manner: Manner
) -> None:
    """What is hot, what is not, and what is no HTTP, in any order."""
    _agree(cut(data, cuts), manner)


@pytest.mark.slow
@bounded
@given(data=damaged(), cuts=places, manner=manners)
def test_damaged_requests_are_answered_alike(
    data: bytes, cuts: list[int], manner: Manner
) -> None:
    """Two parsers that differ on one byte would let one request hide in another."""
    _agree(cut(data, cuts), manner)
