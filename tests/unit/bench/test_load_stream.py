"""What a load sends: in turn, and with a number that no other part of it has."""

from itertools import islice

from bench.load.stream import NUMBER, TRACEPARENT, Stream, request


def first(stream: Stream, count: int) -> list[bytes]:
    """Return what is sent first."""
    return list(islice(stream, count))


def test_requests_are_sent_in_turn_and_again() -> None:
    """A load lasts longer than its requests."""
    assert first(Stream((b"a", b"b")), 5) == [b"a", b"b", b"a", b"b", b"a"]


def test_each_request_has_its_own_number() -> None:
    """16 digits, wherever it stands: so the length is always the same."""
    sent = first(Stream((b"x" + NUMBER + b"y" + NUMBER, b"z" + NUMBER), first=7), 3)

    assert sent == [
        b"x0000000000000007y0000000000000007",
        b"z0000000000000008",
        b"x0000000000000009y0000000000000009",
    ]


def test_parts_have_no_number_in_common() -> None:
    """Two processes that registered the same address would register less."""
    stream = Stream((NUMBER,), first=100)
    parts = [stream.part(index, 3) for index in range(3)]

    assert sorted(one for part in parts for one in first(part, 4)) == first(stream, 12)


def test_parts_share_the_requests_among_them() -> None:
    """As far as there are enough of them."""
    stream = Stream((b"a", b"b", b"c"))

    assert stream.part(0, 2).requests == (b"a", b"c")
    assert stream.part(1, 2).requests == (b"b",)
    assert Stream((b"a",)).part(1, 2).requests == (b"a",)


def test_the_length_of_a_body_counts_the_digits() -> None:
    """It is told before the number is known."""
    made = first(Stream((request("POST", "/register", b'{"h":"' + NUMBER + b'"}'),)), 1)
    head, _, body = made[0].partition(b"\r\n\r\n")

    assert f"Content-Length: {len(body)}".encode() in head


def test_a_traceparent_is_as_the_standard_wants_it() -> None:
    """55 characters: version, trace, parent and flags."""
    made = first(Stream((request("GET", "/", headers=TRACEPARENT),), first=3), 1)[0]
    value = made.partition(b"traceparent: ")[2].partition(b"\r\n")[0]

    assert [len(part) for part in value.split(b"-")] == [2, 32, 16, 2]
    assert made.endswith(b"\r\n\r\n")


def test_what_has_a_number_is_not_constant() -> None:
    """Only what is constant is sent without being made anew."""
    assert Stream((b"a",)).is_constant
    assert not Stream((b"a", b"b")).is_constant
    assert not Stream((b"a" + NUMBER,)).is_constant
