"""Hot reads: whole answers that are true at the moment in which they are sent."""

import pytest

from registry.api import hot_reads
from registry.api.bodies import SLICE, Body, ServiceBodies
from registry.api.hot_reads import LOOK_AGAIN_S, TARGETS_PER_SERVICE, HotReads
from registry.discovery import EVERY, HEALTHY, InstanceFilter
from registry.model import ServiceId
from tests.support.use_cases import UseCases

TARGET = b"/services/web"


class Reader:
    """Hot reads over real use cases, asked as time goes on."""

    def __init__(self, max_bytes: int = hot_reads.MAX_BYTES) -> None:
        self.cases = UseCases()
        self.reads = HotReads(
            self.cases.discovery,
            ServiceBodies(self.cases.discovery, self.cases.clock),
            self.cases.clock,
            node_id="a",
            headers=lambda wanted, index: {
                "X-Registry-Index": str(index),
                "ETag": f'W/"{index}"',
            },
            max_bytes=max_bytes,
        )
        self.now_s = 0.0

    def ask(self, target: bytes = TARGET, condition: bytes | None = None) -> bytes:
        """Return the answer, empty if it is left to the ordinary handler."""
        self.now_s += LOOK_AGAIN_S
        return self.reads.answer(target, condition, self.now_s) or b""


async def _reader(instances: int = 1) -> Reader:
    reader = Reader()
    for port in range(1, instances + 1):
        await reader.cases.register(port=port)
    reader.reads.learn(TARGET, "web", HEALTHY)
    return reader


async def test_what_was_not_learned_is_left_to_the_ordinary_handler() -> None:
    """It alone knows what a target means."""
    reader = await _reader()

    assert reader.ask(b"/services/web?status=all") == b""
    assert reader.ask().startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_change_is_in_the_next_answer() -> None:
    """Whatever was sent a moment ago."""
    reader = await _reader()
    assert b'"port":2,' not in reader.ask()
    await reader.cases.register(port=2)

    assert b'"port":2,' in reader.ask()
    assert b"X-Registry-Index: 2\r\n" in reader.ask()


async def test_a_renewal_shows_within_a_second() -> None:
    """It does not move the index, but the second does."""
    reader = await _reader()
    before = reader.ask()
    reader.cases.fake_clock.advance(1.0)
    await reader.cases.registrar.heartbeat(
        _only_id(reader), deadline_s=reader.cases.now_s
    )

    assert reader.ask() != before


async def test_nothing_is_hot_before_the_replica_has_caught_up() -> None:
    """The ordinary handler refuses it (I10)."""
    reader = await _reader()
    reader.cases.consensus.not_caught_up()

    assert reader.ask() == b""


async def test_nothing_is_hot_while_the_leader_is_silent() -> None:
    """Each answer must tell its age (I10)."""
    reader = await _reader()
    assert reader.ask()
    reader.cases.consensus.silent_leader(5.0)

    assert reader.ask() == b""


async def test_an_equal_etag_is_answered_without_a_body() -> None:
    """304, with the same headers but those of a body."""
    reader = await _reader()

    assert reader.ask(condition=b'W/"1"').startswith(b"HTTP/1.1 304 Not Modified\r\n")
    assert reader.ask(condition=b'W/"1"').endswith(b"\r\n\r\n")
    assert b"Content-" not in reader.ask(condition=b"*")
    assert reader.ask(condition=b'"2"').startswith(b"HTTP/1.1 200 OK\r\n")
    assert (reader.reads.listed, reader.reads.unchanged) == (1, 3)


async def test_a_service_that_has_gone_is_forgotten() -> None:
    """The ordinary handler answers with an empty list."""
    reader = await _reader()
    await reader.cases.registrar.deregister(
        _only_id(reader), deadline_s=reader.cases.now_s
    )

    assert reader.ask() == b""
    assert reader.reads._bytes == 0


def _only_id(reader: Reader) -> ServiceId:
    (key,) = reader.cases.machine.catalog.keys()
    instance = reader.cases.machine.catalog.shown(key)
    assert instance is not None
    return instance.registration.service_id


async def test_a_large_service_is_left_to_the_ordinary_handler() -> None:
    """Which renders it in slices."""
    assert (await _reader(SLICE + 1)).ask() == b""
    assert (await _reader(SLICE)).ask() != b""


async def test_filters_are_hot_as_well() -> None:
    """Each target with its own."""
    reader = await _reader()
    target = TARGET + b"?tag=x"
    reader.reads.learn(target, "web", InstanceFilter(tags=("x",)))

    assert reader.ask(target).endswith(b'"instances":[]}')


async def test_of_each_service_the_newest_targets_are_kept() -> None:
    """Anybody can make up any number of them."""
    reader = await _reader()
    for number in range(TARGETS_PER_SERVICE):
        reader.reads.learn(b"%s?tag=%d" % (TARGET, number), "web", EVERY)

    assert reader.ask() == b""
    assert reader.ask(TARGET + b"?tag=0")
    assert len(reader.reads._cells) == TARGETS_PER_SERVICE


async def test_what_an_unknown_name_was_asked_for_is_not_learned() -> None:
    """There is no end of them."""
    reader = Reader()
    reader.reads.learn(TARGET, "web", HEALTHY)

    assert reader.reads._cells == {}


@pytest.mark.parametrize("most", [0, 2_500, 4_000])
async def test_memory_is_bounded_in_all(most: int) -> None:
    """What was learned longest ago goes first."""
    reader = Reader(max_bytes=most)
    for number in range(5):
        await reader.cases.register(f"web-{number}")
        target = b"/services/web-%d" % number
        reader.reads.learn(target, f"web-{number}", HEALTHY)
        reader.ask(target)

    assert reader.reads._bytes <= most
    assert set(reader.reads._by_name) == {c.name for c in reader.reads._cells.values()}


class _Broken(ServiceBodies):
    """Cannot render."""

    def at_once(self, name: str, wanted: InstanceFilter) -> Body | None:
        """Fail as no caller can foresee."""
        raise ZeroDivisionError


async def test_what_cannot_be_rendered_is_left_to_the_ordinary_handler() -> None:
    """It knows how a defect is told: by an answer, and not by a closed connection."""
    cases = UseCases()
    await cases.register()
    reads = HotReads(
        cases.discovery,
        _Broken(cases.discovery, cases.clock),
        cases.clock,
        node_id="a",
        headers=lambda wanted, index: {},
    )
    reads.learn(TARGET, "web", HEALTHY)

    assert reads.answer(TARGET, None, LOOK_AGAIN_S) is None
    assert reads.knows(TARGET)
