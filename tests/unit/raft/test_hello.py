"""Hellos: who is let in, and by what reason not."""

import msgspec
import pytest

from cluster.identity import FORMAT_VERSION, Identity, Standing
from cluster.raft.hello import REFUSALS, Hello, decode, encode, refusal

ME = Identity("a", "c1", 3, ("a", "b", "c"), Standing.MEMBER)
GOOD = Hello(
    FORMAT_VERSION, "b", b"12345678", "c1", 3, ("a", "b", "c"), 5, "http://b", 1
)


def changed(**fields: object) -> Hello:
    """Return a good hello with other fields."""
    return msgspec.structs.replace(GOOD, **fields)


def test_a_members_hello_is_welcome() -> None:
    """It comes back as it was said."""
    assert decode(encode(GOOD)) == GOOD
    assert refusal(ME, 1, "b", GOOD) is None


def test_an_empty_members_hello_is_welcome() -> None:
    """It is about to found a cluster, or to join ours."""
    empty = changed(cluster_id="", term=0)

    assert refusal(ME, 1, "b", empty) is None


CASES = [
    (changed(format=FORMAT_VERSION + 1), "newer_format"),
    (changed(schema=0), "older_version"),
    (changed(node_id="c"), "wrong_id"),
    (changed(members=("b", "c", "d")), "not_a_member"),
    (changed(epoch=1), "epoch_apart"),
    (changed(epoch=5), "epoch_apart"),
    (changed(members=("a", "b", "d")), "member_list_differs"),
    (changed(cluster_id="c2"), "other_cluster"),
    (None, "bad_hello"),
]


@pytest.mark.parametrize(("hello", "reason"), CASES, ids=[c[1] for c in CASES])
def test_others_are_refused_with_a_reason(hello: Hello | None, reason: str) -> None:
    """Each reason has a sentence for people."""
    assert refusal(ME, 1, "b", hello) == reason
    assert reason in REFUSALS


def test_a_stranger_is_no_member() -> None:
    """Even if it calls us one."""
    hello = changed(node_id="x", members=("a", "b", "c", "x"), epoch=4)

    assert refusal(ME, 1, "x", hello) == "not_a_member"


def test_one_change_of_members_apart_is_welcome() -> None:
    """A change passes through the members one after the other."""
    hello = changed(epoch=4, members=("a", "b", "d"))

    assert refusal(ME, 1, "b", hello) is None


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"garbage",
        encode(changed(incarnation=b"short")),
        msgspec.msgpack.encode(["b"]),
        msgspec.msgpack.encode({"format": 1}),
    ],
)
def test_what_is_no_hello_is_none(data: bytes) -> None:
    """It is refused, and harms nobody."""
    assert decode(data) is None
