"""How peers are asked: what is registered must be what is read."""

import base64

import orjson
import pytest

from bench.load.stream import NUMBER, Stream
from bench.peers.consul import ConsulWords
from bench.peers.etcd import EtcdWords
from bench.peers.peer import Words
from bench.peers.words import AloneWords, ConstantWords, RegistryWords

NUMBERED = f"node-{NUMBER.decode()}"


def body(request: bytes | None) -> dict[str, object]:
    """Return the JSON of a request as it is sent."""
    assert request is not None
    sent = next(iter(Stream((request,), first=12)))
    document: dict[str, object] = orjson.loads(sent.partition(b"\r\n\r\n")[2])
    return document


def decoded(text: object) -> bytes:
    """Return what base64 says; nothing else may be in it."""
    return base64.b64decode(str(text), validate=True)


@pytest.mark.parametrize("service", ["a", "ab", "abc", "web-12"])
@pytest.mark.parametrize("host", ["10.0.0.1", NUMBERED])
def test_etcd_reads_the_keys_that_were_put(service: str, host: str) -> None:
    """A number stands within base64: it may not move the letters before it."""
    words = EtcdWords()
    key = decoded(body(words.register(service, host))["key"])
    wanted = body(words.read(service))
    low, high = decoded(wanted["key"]), decoded(wanted["range_end"])

    assert low <= key < high
    assert key.startswith(f"services/{service}/".encode())


def test_etcd_asks_its_leader_only_for_consistent_reads() -> None:
    """Otherwise what is compared would not be the same promise."""
    words = EtcdWords()

    assert body(words.read("web"))["serializable"] is True
    assert body(words.consistent_read("web"))["serializable"] is False


def test_a_heartbeat_is_for_what_was_registered() -> None:
    """By the id in the answer."""
    beat = RegistryWords().heartbeat(b'{"service_id":"web-7","status":"registered"}')

    assert beat is not None
    assert beat.startswith(b"POST /heartbeat/web-7 HTTP/1.1\r\n")


@pytest.mark.parametrize("words", [ConstantWords(b"GET / HTTP/1.1\r\n\r\n")])
def test_what_a_peer_has_not_is_left_out(words: Words) -> None:
    """A scenario compares those that have what it asks for."""
    assert words.register("web", "10.0.0.1") is None
    assert words.heartbeat(b"{}") is None
    assert words.consistent_read("web") is None
    assert words.read("web") == words.read("other")


def test_one_process_has_nobody_to_agree_with() -> None:
    """Its plain read would win against a read that asks a majority."""
    assert AloneWords().consistent_read("web") is None
    assert RegistryWords().consistent_read("web") is not None


def test_consul_lists_what_was_registered() -> None:
    """An instance has an id of its own, or it would replace the one before it."""
    words = ConsulWords()
    first = words.register("web", "10.0.0.1")
    second = words.register("web", "10.0.0.2")

    assert body(first)["Service"] != body(second)["Service"]
    assert b"/v1/health/service/web?" in words.read("web")
