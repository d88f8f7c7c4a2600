"""The handshake as it should go, and its refusals that travel."""

import pytest

from cluster.links.handshake import Party
from cluster.links.reasons import HandshakeFailed, Reason
from cluster.links.settings import Security, SharedKeys
from tests.unit.links.parties import (
    KEYED,
    ONE,
    PLAIN,
    SECURITIES,
    TLS,
    TWO,
    Side,
    shake,
)


@pytest.mark.parametrize("security", SECURITIES)
def test_both_sides_learn_who_is_there_and_its_hello(security: Security) -> None:
    """In every mode, on each of the two connections of a pair."""
    a, b = Side("a", security), Side("b", security)
    mine, theirs = shake(a.dial(), b.answer())

    assert (mine.peer, theirs.peer) == ("b", "a")
    assert a.heard == [("b", b"hello of b")]
    assert b.heard == [("a", b"hello of a")]
    assert theirs.opener.open(mine.sealer.seal(b"frame")) == b"frame"


@pytest.mark.parametrize("security", SECURITIES)
def test_a_refusal_travels_to_the_initiator(security: Security) -> None:
    """Its owner shows whom it waits for, and why."""
    a, b = Side("a", security), Side("b", security, refusal="other cluster")
    dialling, answering = a.dial(), b.answer()
    hello = dialling.receive(answering.receive(dialling.start()).send)
    with pytest.raises(HandshakeFailed) as refusing:
        answering.receive(hello.send)
    with pytest.raises(HandshakeFailed) as refused:
        dialling.receive(refusing.value.farewell)

    assert refusing.value.reason is Reason.HELLO_REFUSED
    assert refusing.value.peer_refusal is None
    assert refused.value.peer_refusal == "other cluster"


def test_a_refusal_by_the_initiator_travels_as_well() -> None:
    """Else the responder would take its silence for a stranger's."""
    a, b = Side("a", refusal="epoch 3 here"), Side("b")
    dialling, answering = a.dial(), b.answer()
    answer = answering.receive(dialling.start())
    with pytest.raises(HandshakeFailed) as refusing:
        dialling.receive(answer.send)
    with pytest.raises(HandshakeFailed) as refused:
        answering.receive(refusing.value.farewell)

    assert refused.value.peer_refusal == "epoch 3 here"
    assert b.heard == []


def test_a_long_refusal_is_cut() -> None:
    """Its length is the other side's choice, and it ends in our log."""
    a, b = Side("a"), Side("b", refusal="x" * 5_000)
    dialling, answering = a.dial(), b.answer()
    hello = dialling.receive(answering.receive(dialling.start()).send)
    with pytest.raises(HandshakeFailed) as refusing:
        answering.receive(hello.send)
    with pytest.raises(HandshakeFailed) as refused:
        dialling.receive(refusing.value.farewell)

    assert refused.value.peer_refusal == "x" * 200


def test_the_first_key_signs_and_every_key_is_accepted() -> None:
    """Rotation: one replica has moved the new key to the front, the other not yet."""
    moved, not_yet = SharedKeys((TWO, ONE)), SharedKeys((ONE, TWO))

    shake(Side("a", moved).dial(), Side("b", not_yet).answer())
    shake(Side("b", not_yet).dial("a"), Side("a", moved).answer(peers=("b",)))


@pytest.mark.parametrize(
    ("a", "b", "reason"),
    [
        (Side("a", PLAIN), Side("b", KEYED), Reason.OTHER_SECURITY),
        (Side("a", KEYED), Side("b", PLAIN), Reason.OTHER_SECURITY),
        (Side("a", SharedKeys((TWO,))), Side("b", KEYED), Reason.UNKNOWN_KEY),
        (Side("b"), Side("b"), Reason.OWN_ID),
        (Side("a"), Side("c"), Reason.OTHER_NODE),
        (Side("stranger"), Side("b"), Reason.UNKNOWN_NODE),
        (Side("c", TLS), Side("b", TLS), Reason.WRONG_CERTIFICATE),
    ],
)
def test_a_mistake_in_configuration_is_named_on_both_sides(
    a: Side, b: Side, reason: Reason
) -> None:
    """Whichever log a person reads says what is wrong."""
    dialling, answering = a.dial(), b.answer()
    with pytest.raises(HandshakeFailed) as refusing:
        answering.receive(dialling.start())
    with pytest.raises(HandshakeFailed) as told:
        dialling.receive(refusing.value.farewell)

    assert refusing.value.reason is reason
    assert told.value.reason is Reason.ALERT
    assert str(reason) in told.value.detail
    assert told.value.peer_refusal is None


def test_a_dialled_node_must_have_the_certificate_of_its_id() -> None:
    """Whoever holds the address of b is not b for that."""
    with pytest.raises(HandshakeFailed) as caught:
        Side("a", TLS).dial("b", names=("c", "d")).start()

    assert caught.value.reason is Reason.WRONG_CERTIFICATE
    assert "is for c, d, not for 'b'" in caught.value.detail


def test_the_hello_is_made_afresh_for_each_handshake() -> None:
    """It tells the epoch and standing of this moment."""
    told = iter((b"first", b"second"))
    party = Party("a", KEYED, lambda: next(told), lambda _peer, _hello: None)
    a, b = Side("a"), Side("b")
    a.party = party
    shake(a.dial(), b.answer())
    shake(a.dial(), b.answer())

    assert [hello for _, hello in b.heard] == [b"first", b"second"]
