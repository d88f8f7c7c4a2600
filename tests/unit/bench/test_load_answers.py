"""Where an answer ends: by its length, or by its last chunk."""

import pytest

from bench.load.answers import REMEMBERED, finished

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody"


@pytest.mark.parametrize("cut", range(1, len(OK)))
def test_an_answer_that_came_in_part_is_not_whole(cut: int) -> None:
    """The next request would be sent too early."""
    assert finished(OK[:cut]) is None


@pytest.mark.parametrize(
    ("status", "is_success"), [("200 OK", True), ("201", True), ("503 Busy", False)]
)
def test_only_a_2xx_is_a_success(status: str, *, is_success: bool) -> None:
    """What was refused is no throughput."""
    data = f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()

    assert finished(data) is is_success


def test_chunks_end_with_the_last_one() -> None:
    """Consul answers so."""
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    assert finished(head + b"4\r\nbody\r\n") is None
    assert finished(head + b"4\r\nbody\r\n0\r\n\r\n") is True


def test_heads_that_are_always_new_are_not_kept_for_ever() -> None:
    """A long load with an index in each head must not grow."""
    for number in range(3 * REMEMBERED):
        head = f"HTTP/1.1 200 OK\r\nX-Index: {number}\r\nContent-Length: 1\r\n\r\n"
        assert finished(head.encode() + b"x") is True
