"""Seals: only the next frame of the key's holder opens."""

import pytest

from cluster.links.sealing import AeadOpener, AeadSealer, Forged, Plain

KEY, OTHER = b"k" * 32, b"o" * 32


def test_frames_open_in_the_order_in_which_they_were_sealed() -> None:
    """The usual case, the empty frame included."""
    sealer, opener = AeadSealer(KEY), AeadOpener(KEY)
    frames = [b"one", b"", b"x" * 70_000]

    assert [opener.open(sealer.seal(frame)) for frame in frames] == frames


def test_equal_frames_do_not_look_equal_sealed() -> None:
    """The counter is in the nonce."""
    sealer = AeadSealer(KEY)

    assert sealer.seal(b"same") != sealer.seal(b"same")


def test_a_seal_is_as_long_as_announced() -> None:
    """The frame limit is raised by exactly that."""
    assert len(AeadSealer(KEY).seal(b"1234")) == 4 + AeadOpener.overhead_bytes


@pytest.mark.parametrize("attack", ["replay", "skip", "other key", "altered", "short"])
def test_anything_but_the_next_frame_is_forged(attack: str) -> None:
    """Replay, loss, reorder, wrong key and changed bytes end the link."""
    sealer, opener = AeadSealer(KEY), AeadOpener(KEY)
    first, second = sealer.seal(b"first"), sealer.seal(b"second")
    opener.open(first)
    bad = {
        "replay": first,
        "skip": sealer.seal(b"third"),
        "other key": AeadSealer(OTHER).seal(b"second"),
        "altered": bytes([second[0] ^ 1]) + second[1:],
        "short": b"",
    }[attack]

    with pytest.raises(Forged):
        opener.open(bad)


def test_plain_changes_nothing() -> None:
    """Inside TLS and on loopback."""
    assert Plain().open(Plain().seal(b"frame")) == b"frame"
