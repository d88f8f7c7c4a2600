"""What a stranger may try in the handshake. None of it gets a hello judged."""

from collections.abc import Callable

import pytest

from cluster.links.handshake import Established, Initiator
from cluster.links.reasons import HandshakeFailed, Reason
from cluster.links.sealing import Forged
from cluster.links.wire import AnswerHead, Mode, Offer
from tests.unit.links.parties import KEYED, ONE, Side, shake


def refused(step: Callable[[bytes], object], message: bytes) -> HandshakeFailed:
    """Return how the message was refused."""
    with pytest.raises(HandshakeFailed) as caught:
        step(message)
    return caught.value


def offer(**changes: object) -> bytes:
    """Return a well-formed offer of a to b, with changes."""
    fields: dict[str, object] = {
        "mode": Mode.SHARED_KEY,
        "initiator": "a",
        "responder": "b",
        "key_id": ONE.key_id,
        "nonce": b"n" * 32,
        "point": b"\x09" + bytes(31),
    }
    return Offer(**(fields | changes)).encode()  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "message",
    [
        b"",
        b"GET / HTTP/1.1\r\n\r\n",
        b"SRLK",
        b"\x80\x05\x95pickled",
        offer()[:-1],
        offer() + b"more",
        offer().replace(b"\x01a\x01b", b"\xc8a\x01b"),
        offer().replace(b"\x01a\x01b", b"\x01\xff\x01b"),
        b"SRLK\x01\x02" + bytes(64),
    ],
)
def test_garbage_gets_no_answer(message: bytes) -> None:
    """A scanner learns nothing, not even that it met a registry."""
    b = Side("b")
    failed = refused(b.answer().receive, message)

    assert failed.reason is Reason.GARBAGE
    assert failed.farewell == b""
    assert b.heard == []


@pytest.mark.parametrize("size", range(0, 83, 7))
def test_no_prefix_of_an_offer_is_an_offer(size: int) -> None:
    """Lengths are checked before they are used."""
    assert refused(Side("b").answer().receive, offer()[:size]).reason is Reason.GARBAGE


def test_another_version_is_named() -> None:
    """In a rolling upgrade both sides must be able to say what happens."""
    later = b"SRLK\x02" + offer()[5:]
    failed = refused(Side("b").answer().receive, later)

    assert failed.reason is Reason.OTHER_VERSION
    assert "version 2" in failed.detail
    assert refused(_started().receive, failed.farewell).reason is Reason.ALERT


def test_a_degenerate_point_is_refused() -> None:
    """The exchange with it would have a result that everyone knows."""
    failed = refused(Side("b").answer().receive, offer(point=bytes(32)))

    assert failed.reason is Reason.FORGED


def test_without_the_key_a_responder_cannot_answer() -> None:
    """It stands at the peer's address, and knows the key's id from the wire."""
    a = Side("a")
    dialling = a.dial()
    dialling.start()
    head = AnswerHead(b"n" * 32, b"\x09" + bytes(31)).encode()

    assert refused(dialling.receive, head + bytes(40)).reason is Reason.FORGED
    assert a.heard == []


def test_without_the_key_an_initiator_cannot_say_hello() -> None:
    """It knows the key's id from the wire."""
    b = Side("b")
    answering = b.answer()
    answering.receive(offer())

    assert refused(answering.receive, bytes(40)).reason is Reason.FORGED
    assert b.heard == []


def test_a_recorded_session_opens_nothing_later() -> None:
    """The responder's part of the exchange is fresh."""
    dialling, first = Side("a").dial(), Side("b").answer()
    recorded_offer = dialling.start()
    recorded_hello = dialling.receive(first.receive(recorded_offer).send).send
    b = Side("b")
    second = b.answer()
    second.receive(recorded_offer)

    assert refused(second.receive, recorded_hello).reason is Reason.FORGED
    assert b.heard == []


def test_an_offer_sent_back_is_no_answer() -> None:
    """Reflection, to the dialling side itself."""
    dialling = Side("a").dial()

    assert refused(dialling.receive, dialling.start()).reason is Reason.GARBAGE


def test_an_offer_sent_back_to_our_own_port_is_refused() -> None:
    """Reflection, to the listener of the same replica."""
    a = Side("a")
    failed = refused(a.answer(peers=("b",)).receive, a.dial().start())

    assert failed.reason is Reason.OWN_ID


def test_a_hello_sent_back_is_no_verdict() -> None:
    """Each direction has its own key."""
    dialling = Side("a").dial()
    answer = Side("b").answer().receive(dialling.start())
    hello = dialling.receive(answer.send)

    assert refused(dialling.receive, hello.send).reason is Reason.FORGED


@pytest.mark.parametrize("position", range(6, 83))
def test_a_changed_offer_leads_to_no_link(position: int) -> None:
    """Ids, key id, nonce and point are all in the transcript of the keys."""
    dialling = Side("a").dial()
    sent = bytearray(dialling.start())
    sent[position] ^= 1
    answering = Side("b").answer(peers=("a", "`"))
    try:
        answer = answering.receive(bytes(sent))
    except HandshakeFailed:
        return

    assert refused(dialling.receive, answer.send).reason is Reason.FORGED


def test_frames_of_one_link_do_not_open_in_another() -> None:
    """Same replicas, same key, another connection."""
    first, _ = _link()
    _, second = _link()

    with pytest.raises(Forged):
        second.opener.open(first.sealer.seal(b"frame"))


def test_a_frame_sent_back_to_its_sender_does_not_open() -> None:
    """Reflection after the handshake."""
    mine, _ = _link()

    with pytest.raises(Forged):
        mine.opener.open(mine.sealer.seal(b"frame"))


def _link() -> tuple[Established, Established]:
    return shake(Side("a", KEYED).dial(), Side("b", KEYED).answer())


def _started() -> Initiator:
    initiator = Side("a").dial()
    initiator.start()
    return initiator
