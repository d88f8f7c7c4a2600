"""The catalog's state as a stream of chunks, and back. Pure.

    chunk 1   Header: format and schema, the indices, how many of each kind follow
    then      Services, Drains, Leases, Slots, Gones, Ended, Events, in this order,
              each as often as needed

Each chunk is one msgpack array that begins with its kind. Everything that decides is in
it; what is derived (what is shown, names, counters) is rebuilt. Equal states give equal
bytes: services go by name, the rest in the order of the maps, which follows the log and
is what ``restore`` rebuilds them in.

What cannot be understood is a ValueError, a newer schema included; so is a stream that
ends early or whose parts do not belong together. Bit rot is for the storage to find.
"""

import sys
from collections.abc import Iterator
from typing import Any

import msgspec

from registry.catalog.bounds import Limits
from registry.catalog.commands import Key
from registry.catalog.gone import Gone
from registry.catalog.records import Lease, Slot, key_of
from registry.catalog.sharing import share, share_lease, share_transition
from registry.catalog.state import State
from registry.model import Drain, ServiceName, Transition

FORMAT = "registry-catalog"
SCHEMA = 2
"""The newest snapshot schema that this version writes and understands."""

MAX_CHUNK_BYTES = 1 << 20
ITEMS_PER_CHUNK = 250
"""About a millisecond of work for ``restore``, which yields after each chunk."""


class Header(msgspec.Struct, frozen=True, array_like=True, tag="header"):
    """What the stream is and what it holds; later schemas may append to it."""

    format: str
    schema: int
    index: int
    removal_index: int
    services: int
    registrations: int
    instances: int
    gone: int
    ended: int = 0
    drains: int = 0
    history: int = 0


class Services(msgspec.Struct, frozen=True, array_like=True, tag="services"):
    """Names, each with the index of the service's last change."""

    items: list[tuple[ServiceName, int]]


class Leases(msgspec.Struct, frozen=True, array_like=True, tag="leases"):
    """Registrations, in the order in which their ids came."""

    items: list[Lease]


class Slots(msgspec.Struct, frozen=True, array_like=True, tag="slots"):
    """Instances, in the order in which they appeared."""

    items: list[Slot]


class Gones(msgspec.Struct, frozen=True, array_like=True, tag="gone"):
    """Expired registrations, in the order in which they expired."""

    items: list[Gone]


class Ended(msgspec.Struct, frozen=True, array_like=True, tag="ended"):
    """Registrations that ended otherwise, in the order in which they did."""

    items: list[Gone]


class Drains(msgspec.Struct, frozen=True, array_like=True, tag="drains"):
    """Drains, in the order in which they began."""

    items: list[tuple[Key, Drain]]


class Events(msgspec.Struct, frozen=True, array_like=True, tag="history"):
    """Transitions, in the order in which they happened."""

    items: list[tuple[ServiceName, Transition]]


Chunk = Header | Services | Drains | Leases | Slots | Gones | Ended | Events

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(Chunk)


def write(state: State) -> Iterator[bytes]:
    """Copy what ``state`` holds now; return the chunks, encoded as they are drawn.

    The copies are of immutable values, so the chunks may be drawn in another thread.
    """
    header = Header(
        FORMAT,
        SCHEMA,
        state.index,
        state.removal_index,
        len(state.services),
        len(state.leases),
        len(state.slots),
        len(state.gone),
        len(state.ended),
        len(state.drains),
        len(state.history),
    )
    names = list(state.services)
    indices = [service.index for service in state.services.values()]
    sections: list[tuple[type[Any], list[Any]]] = [
        # Before the slots, which are shown by them.
        (Drains, list(state.drains.items())),
        (Leases, list(state.leases.values())),
        (Slots, list(state.slots.values())),
        (Gones, list(state.gone.entries.values())),
        (Ended, list(state.ended.entries.values())),
        (Events, list(state.history.entries.values())),
    ]
    return _chunks(header, names, indices, sections)


def _chunks(
    header: Header,
    names: list[ServiceName],
    indices: list[int],
    sections: list[tuple[type[Any], list[Any]]],
) -> Iterator[bytes]:
    yield _encoder.encode(header)
    yield from _section(Services, sorted(zip(names, indices, strict=True)))
    for kind, items in sections:
        yield from _section(kind, items)


def _section(kind: type[Any], items: list[Any]) -> Iterator[bytes]:
    for start in range(0, len(items), ITEMS_PER_CHUNK):
        yield from _split(kind, items[start : start + ITEMS_PER_CHUNK])


def _split(kind: type[Any], items: list[Any]) -> Iterator[bytes]:
    """Yield the items as one chunk, or as several if that would be too large.

    Ends because one item of the largest size (see ``bounds``) is far below the limit.
    """
    chunk = _encoder.encode(kind(items))
    if len(chunk) <= MAX_CHUNK_BYTES or len(items) == 1:
        yield chunk
        return
    half = len(items) // 2
    yield from _split(kind, items[:half])
    yield from _split(kind, items[half:])


class Reader:
    """Builds a new state from chunks; nobody sees it before ``finish``."""

    def __init__(self, limits: Limits) -> None:
        self._state = State(limits)
        self._header: Header | None = None
        self._ids = 0

    def take(self, data: bytes) -> None:
        """Take the next chunk. Raises ValueError if it is not understood."""
        try:
            chunk = _decoder.decode(data)
        except msgspec.DecodeError as error:
            raise ValueError(f"a snapshot chunk is not understood: {error}") from error
        if isinstance(chunk, Header):
            self._take_header(chunk)
        elif self._header is None:
            raise ValueError("a snapshot does not begin with its header")
        elif isinstance(chunk, Services):
            for name, index in chunk.items:
                self._state.open_service(name, index)
        elif isinstance(chunk, Leases):
            for lease in chunk.items:
                self._take_lease(lease)
        elif isinstance(chunk, Slots):
            for slot in chunk.items:
                self._take_slot(slot)
        elif isinstance(chunk, Drains):
            self._state.drains.update(chunk.items)
        elif isinstance(chunk, Events):
            self._take_history(chunk)
        else:
            gone_list = self._state.gone
            if isinstance(chunk, Ended):
                gone_list = self._state.ended
            for item in chunk.items:
                gone = item
                share(gone.registration)
                if not gone.position:  # Schema 1: the same on every replica (I1).
                    generation = gone.registration.generation
                    gone = msgspec.structs.replace(gone, position=generation)
                gone_list.add(gone)

    def finish(self) -> State:
        """Return the state. Raises ValueError if the snapshot was not whole."""
        state, header = self._state, self._header
        if header is None:
            raise ValueError("a snapshot is empty")
        promised = (
            header.services,
            header.registrations,
            header.instances,
            header.gone,
            header.ended,
            header.drains,
            header.history,
        )
        found = (
            len(state.services),
            len(state.leases),
            len(state.slots),
            len(state.gone),
            len(state.ended),
            len(state.drains),
            len(state.history),
        )
        if found != promised:
            raise ValueError(f"a snapshot promises {promised} items, but holds {found}")
        if self._ids != header.registrations:
            raise ValueError("a snapshot holds a registration without its instance")
        if not all(service.shown for service in state.services.values()):
            raise ValueError("a snapshot holds a service without instances")
        return state

    def _take_header(self, header: Header) -> None:
        if self._header is not None:
            raise ValueError("a snapshot has a second header")
        if header.format != FORMAT:
            raise ValueError(f"not a snapshot of a catalog but of {header.format!r}")
        if header.schema > SCHEMA:
            raise ValueError(
                f"a snapshot has schema {header.schema}; this version knows {SCHEMA}"
            )
        self._header = header
        self._state.index = header.index
        self._state.removal_index = header.removal_index

    # What stands in several places comes as a copy for each: made one again, it saves
    # a third of the memory.

    def _take_lease(self, lease: Lease) -> None:
        share_lease(lease)
        self._state.leases[lease.registration.service_id] = lease
        self._state.bytes += lease.size_bytes

    def _take_slot(self, slot: Slot) -> None:
        state = self._state
        service = state.services.get(slot.key[0])
        if service is None or not slot.ids:
            raise _stands_on_nothing(slot)
        ids = []
        for service_id in slot.ids:
            lease = state.leases.get(service_id)
            if lease is None or (key := key_of(lease.registration)) != slot.key:
                raise _stands_on_nothing(slot)
            ids.append(lease.registration.service_id)
        self._ids += len(ids)
        assert lease is not None
        since_ms, at_ms = slot.since_ms, lease.registration.registered_at_ms
        shared = Slot(
            key,
            tuple(ids),
            slot.status,
            sys.intern(slot.cause),
            at_ms if since_ms == at_ms else since_ms,
        )
        state.put_slot(shared, service)

    def _take_history(self, chunk: Events) -> None:
        history, leases = self._state.history, self._state.leases
        for name, transition in chunk.items:
            shared = share_transition(transition, leases.get(transition.service_id))
            history.add(ServiceName(sys.intern(name)), shared)


def _stands_on_nothing(slot: Slot) -> ValueError:
    return ValueError(f"a snapshot's instance {slot.key} stands on nothing")
