"""Frames are cut the same however the stream is cut, and never buffered too far."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.links.framing import FrameReader, FrameTooLong, framed


def drain(reader: FrameReader) -> list[bytes]:
    """Return the whole frames that the reader has."""
    frames = []
    while (frame := reader.next_frame()) is not None:
        frames.append(frame)
    return frames


@given(st.lists(st.binary(max_size=40)), st.lists(st.integers(1, 30)))
def test_frames_are_the_same_however_the_stream_is_cut(
    bodies: list[bytes], cuts: list[int]
) -> None:
    """TCP keeps no boundaries."""
    stream = b"".join(framed(body) for body in bodies)
    reader = FrameReader(limit_bytes=40)
    frames = []
    for cut in [*cuts, len(stream)]:
        chunk, stream = stream[:cut], stream[cut:]
        reader.feed(chunk)
        frames += drain(reader)

    assert frames == bodies
    assert reader.pending_bytes == 0


def test_a_long_frame_is_refused_when_it_is_announced() -> None:
    """Waiting for its bytes would be buffering them."""
    reader = FrameReader(limit_bytes=100)
    reader.feed((101).to_bytes(4, "big"))

    with pytest.raises(FrameTooLong, match="101 bytes announced, 100 allowed"):
        reader.next_frame()


def test_frames_before_a_long_one_are_delivered() -> None:
    """They were whole and allowed."""
    reader = FrameReader(limit_bytes=4)
    reader.feed(framed(b"good") + b"\xff\xff\xff\xff")

    assert reader.next_frame() == b"good"
    with pytest.raises(FrameTooLong):
        reader.next_frame()


def test_the_limit_may_change_between_two_frames_of_one_chunk() -> None:
    """The handshake's bound ends with the handshake."""
    reader = FrameReader(limit_bytes=2)
    reader.feed(framed(b"hi") + framed(b"longer"))

    assert reader.next_frame() == b"hi"
    reader.limit_bytes = 6
    assert reader.next_frame() == b"longer"


def test_a_cut_frame_is_seen_as_pending() -> None:
    """So that a link that ends within a frame can be told from one that just ends."""
    reader = FrameReader(limit_bytes=10)
    reader.feed(framed(b"whole") + framed(b"half")[:-1])

    assert drain(reader) == [b"whole"]
    assert reader.pending_bytes == 7
