"""What `--url` and `--peer NAME=URL` may be, and what is registered there."""

import orjson
import pytest

from bench.load.stream import NUMBER
from bench.peers.peer import LONG_TTL_S, NotHere
from bench.peers.url import split
from bench.peers.words import RegistryWords
from bench.results import Outcome
from bench.scenarios.elsewhere import NO_CLUSTER, not_measured
from bench.scenarios.filling import registered_as


def body(request: bytes | None) -> dict[str, object]:
    """Return the JSON of a request."""
    assert request is not None
    document: dict[str, object] = orjson.loads(request.partition(b"\r\n\r\n")[2])
    return document


@pytest.mark.parametrize(
    "wrong",
    [
        "",
        "127.0.0.1:8080",
        "https://127.0.0.1:8080",
        "http://",
        "http://[::1",
        "http://127.0.0.1:0",
        "http://127.0.0.1:65536",
        "http://127.0.0.1:port",
        "http://127.0.0.1:8080/v1",
        "http://somebody@127.0.0.1:8080",
        "http://127.0.0.1:8080,",
        "http://127.0.0.1:8080,,http://127.0.0.1:8081",
    ],
)
def test_a_wrong_url_is_told_in_one_line(wrong: str) -> None:
    """Before anybody is asked, so nothing is registered."""
    with pytest.raises(NotHere, match=r"\Aours: [^\n]+\Z"):
        split("ours", wrong)


def test_a_url_always_has_a_port() -> None:
    """Loads open sockets: they know of no default."""
    given = "http://one/,http://[::1]:81,http://two:"

    assert split("ours", given) == ["http://one:80", "http://[::1]:81", "http://two:80"]


def test_what_is_registered_elsewhere_has_names_of_its_own_and_ends_soon() -> None:
    """Somebody may have a service of the same name there."""
    words = RegistryWords("bench-1f-", 600)
    sent = body(words.register("web", "10.0.0.1"))

    assert (sent["name"], sent["ttl_seconds"]) == ("bench-1f-web", 600)
    assert words.read("web").startswith(b"GET /services/bench-1f-web HTTP/1.1\r\n")
    consistent = words.consistent_read("web")
    assert consistent is not None
    assert consistent.startswith(b"GET /services/bench-1f-web?consistent=true ")


def test_in_a_cluster_of_its_own_nothing_ends_while_it_is_measured() -> None:
    """An hour is longer than any scenario."""
    sent = body(RegistryWords().register("web", "10.0.0.1"))

    assert (sent["name"], sent["ttl_seconds"]) == ("web", LONG_TTL_S)


def test_what_was_registered_is_taken_back_by_its_id() -> None:
    """The id is in the answer."""
    request = RegistryWords().deregister(b'{"service_id":"7","status":"registered"}')

    assert request.startswith(b"DELETE /deregister/7 HTTP/1.1\r\n")


def test_other_fields_leave_the_name_of_a_registration() -> None:
    """A number in them has its place in the length that is told."""
    made = RegistryWords("bench-1f-").register("web", "10.0.0.1")
    assert made is not None
    again = registered_as(made, ttl_seconds=90, metadata={"build": NUMBER.decode()})

    assert body(again)["name"] == "bench-1f-web"
    assert body(again)["ttl_seconds"] == 90
    length = len(again.partition(b"\r\n\r\n")[2]) - len(NUMBER) + 16
    assert f"Content-Length: {length}\r\n".encode() in again


def test_what_does_not_use_a_url_says_so() -> None:
    """Its figures would be taken for those of the cluster at the URL."""
    told = not_measured("commit", "One write at a time.")

    assert told == Outcome("commit", "One write at a time.", (), (), (NO_CLUSTER,))
