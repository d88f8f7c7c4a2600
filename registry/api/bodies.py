"""The bodies of `GET /services/{name}`, without holding up the loop for large services.

A small service is rendered at once. A large one is rendered in slices, one slice in a
turn of the loop whoever builds, from one view: the answer is of one moment however long
it takes (but for the details of drains, looked up as each is rendered). Each instance's
JSON is kept beside the body and reused until the instance is replaced, as every change
of it does, so that the next second's body costs little more than joining.

Small ones of HEALTHY are joined likewise, of what the former body holds, so that no
text is kept twice; those of EVERY tell of drains, and are rendered anew. Bodies for
HEALTHY and EVERY are built once per service, change and second, and then sent as they
are. The second is part of it for two reasons: renewals do not move a service's index,
so ``last_heartbeat`` would stand still, and the order of instances rotates by it,
because old clients take the first one. Other filters are endless, so their bodies are
built for each request, in the same slices.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

import orjson
from aiohttp import web

from registry.api import render
from registry.api.joined import PLACE_BYTES, Joined, places_of
from registry.api.pieces import PiecesPayload
from registry.discovery import EVERY, HEALTHY, Discovery, InstanceFilter, ServiceAnswer
from registry.model import Instance, Status
from registry.ports import Clock

CACHE_BYTES = 128 * 1024 * 1024
SLICE = 250
"""How many instances are rendered in one turn: about a millisecond."""
FRAGMENT_BYTES = 200
"""What keeping one costs beside its text, about."""
KEPT_BYTES = 1_000
"""What keeping a body costs beside its bytes, with an instance that is gone since."""
JOINED_BYTES = 256 * 1024
"""What is larger is sent piece by piece, and never copied into one."""

_END = b"]}"

Fragments = dict[int, tuple[Instance, bytes]]
"""JSON by the identity of the instance, which stands beside it so that it is not freed:
as long as it is here, no other object can have its identity."""
Key = tuple[str, bool]
"""A service's name, and whether every status is listed."""


@dataclass(frozen=True, slots=True)
class Body:
    """One answer's bytes, in pieces, and what they are of."""

    index: int
    at_s: int
    pieces: tuple[bytes, ...]
    size: int


@dataclass(frozen=True, slots=True)
class _Kept:
    """A body, what it was joined from, and the bytes of both.

    Of a small one that is in the body itself, and ``joined`` says where.
    """

    body: Body
    size: int
    fragments: Fragments = field(default_factory=dict)
    joined: Joined | None = None


class ServiceBodies:
    """Builds bodies, and keeps what is asked for again.

    Invariant: ``_bytes`` is the size of all that is kept, at most ``max_bytes``; what
    was built longest ago goes first. At most one task builds each large body.
    """

    def __init__(
        self, discovery: Discovery, clock: Clock, max_bytes: int = CACHE_BYTES
    ) -> None:
        self._discovery = discovery
        self._clock = clock
        self._max_bytes = max_bytes
        self._kept: OrderedDict[Key, _Kept] = OrderedDict()
        self._bytes = 0
        self._under_way: dict[Key, asyncio.Task[Body]] = {}
        self._turn = asyncio.Lock()
        self.rendered = 0
        """How many instances were rendered for large bodies that are kept."""

    def kept(self, name: str, wanted: InstanceFilter) -> Body | None:
        """Return the body that is kept for just this, if there is one."""
        kept = self._kept.get((name, wanted is EVERY))
        if kept is None or (wanted is not HEALTHY and wanted is not EVERY):
            return None
        index = self._discovery.service_index(name)
        return kept.body if _serves(kept.body, index, self._now_s()) else None

    def at_once(self, name: str, wanted: InstanceFilter) -> Body | None:
        """Return a body of one piece if no loop must wait for it, else None.

        None as well for a name without instances.
        """
        kept = self.kept(name, wanted)
        if kept is not None:
            return kept if len(kept.pieces) == 1 else None
        if not 0 < len(self._discovery.candidates(name, EVERY).instances) <= SLICE:
            return None
        body = self._small(self._discovery.service(name, wanted), wanted)
        return body if len(body.pieces) == 1 else None

    async def build(self, name: str, wanted: InstanceFilter) -> Body:
        """Return a body that shows at least what is applied when this is called."""
        at_s = self._now_s()
        if wanted is not HEALTHY and wanted is not EVERY:
            return await self._filtered(name, wanted, at_s)
        key = (name, wanted is EVERY)
        index = self._discovery.service_index(name)
        while (task := self._under_way.get(key)) is not None:
            # It may have begun before what this caller must see; the next one has not.
            body = await asyncio.shield(task)
            if _serves(body, index, at_s):
                return body
        at_s = self._now_s()
        answer = self._discovery.service(name, wanted)
        if len(answer.instances) <= SLICE:
            return self._small(answer, wanted)
        task = asyncio.create_task(self._build(key, answer, at_s, self._fields(wanted)))
        self._under_way[key] = task
        return await asyncio.shield(task)

    def _small(self, answer: ServiceAnswer, wanted: InstanceFilter) -> Body:
        """Render a few instances, and keep what may be asked for again."""
        at_s, key = self._now_s(), (answer.name, wanted is EVERY)
        if wanted is not HEALTHY:
            rendered = render.service_body(answer, at_s, self._fields(wanted))
            body = _body(answer.index, at_s, [_exact(rendered)])
            if wanted is EVERY:
                self._keep(
                    key,
                    _Kept(body, KEPT_BYTES + body.size) if answer.instances else None,
                )
            return body
        kept, instances = self._kept.get(key), answer.instances
        former = None if kept is None else kept.joined
        first = render.first_listed(instances, at_s)
        if former is not None and former.instances is instances:
            places, listed = former.places, former.begun_with(first)
        else:
            known = {} if former is None else former.by_identity()
            texts = [
                known.get(id(i)) or orjson.dumps(render.instance_fields(i))
                for i in instances
            ]
            places, listed = places_of(texts), b",".join(texts[first:] + texts[:first])
        head = render.service_head(answer.name)
        body = _body(answer.index, at_s, [head, listed, _END])
        text, start = (body.pieces[0], len(head))
        if len(body.pieces) > 1:  # few, but long ones
            text, start = listed, 0
        joined = Joined(instances, places, first, text, start, start + len(listed))
        size = KEPT_BYTES + body.size + PLACE_BYTES * len(instances)
        # Unknown names are not kept: anybody can make up any number of them.
        self._keep(key, _Kept(body, size, joined=joined) if instances else None)
        return body

    def _now_s(self) -> int:
        return self._clock.wall_ms() // 1000

    def _fields(self, wanted: InstanceFilter) -> render.FieldsOf:
        """The healthy are shown briefly; who looks for others wants the reasons."""
        if wanted.status is Status.HEALTHY:
            return render.instance_fields
        return lambda i: render.detailed_fields(i, self._discovery.drain(i))

    async def _build(
        self, key: Key, answer: ServiceAnswer, at_s: int, fields: render.FieldsOf
    ) -> Body:
        """Build a large body; a task of its own, since several callers may want it."""
        try:
            kept = self._kept.get(key)
            former: Fragments = {} if kept is None else kept.fragments
            fragments: Fragments = {}

            def fragment(instance: Instance) -> bytes:
                identity = id(instance)
                entry = former.get(identity)
                if entry is None:
                    entry = (instance, _exact(orjson.dumps(fields(instance))))
                    self.rendered += 1
                fragments[identity] = entry
                return entry[1]

            body = await self._joined(answer, at_s, fragment)
            size = KEPT_BYTES + 2 * body.size + FRAGMENT_BYTES * len(fragments)
            self._keep(key, _Kept(body, size, fragments))
            return body
        finally:
            del self._under_way[key]

    async def _filtered(self, name: str, wanted: InstanceFilter, at_s: int) -> Body:
        answer = self._discovery.candidates(name, wanted)
        matching: list[Instance] = []
        for part in _slices(answer.instances):
            async with self._turn:
                matching += filter(wanted.matches, part)
                await self._give_way(answer.instances)
        picked = ServiceAnswer(name, answer.index, tuple(matching))
        fields = self._fields(wanted)
        return await self._joined(picked, at_s, lambda i: orjson.dumps(fields(i)))

    async def _joined(
        self, answer: ServiceAnswer, at_s: int, fragment: Callable[[Instance], bytes]
    ) -> Body:
        pieces = [render.service_head(answer.name)]
        for part in _slices(render.rotate(answer.instances, at_s)):
            async with self._turn:
                joined = b",".join(map(fragment, part))
                pieces.append(joined if len(pieces) == 1 else b"," + joined)
                await self._give_way(answer.instances)
        pieces.append(_END)
        return _body(answer.index, at_s, pieces)

    async def _give_way(self, instances: Sequence[Instance]) -> None:
        """Let the loop turn while ours is not over: one slice each, whoever builds."""
        if len(instances) > SLICE:
            await asyncio.sleep(0)

    def _keep(self, key: Key, kept: _Kept | None) -> None:
        former = self._kept.pop(key, None)
        if former is not None:
            self._bytes -= former.size
        if kept is None or kept.size > self._max_bytes:
            return
        while self._bytes + kept.size > self._max_bytes:
            _, oldest = self._kept.popitem(last=False)
            self._bytes -= oldest.size
        self._kept[key] = kept
        self._bytes += kept.size


def response(body: Body, headers: dict[str, str]) -> web.Response:
    """Return a 200 with this body."""
    if len(body.pieces) == 1:
        return render.json_response(body.pieces[0], headers)
    return web.Response(body=PiecesPayload(body.pieces, body.size), headers=headers)


def _serves(body: Body, index: int, at_s: int) -> bool:
    return body.index >= index and body.at_s >= at_s


def _exact(text: bytes) -> bytes:
    """Return a copy, to be kept: as orjson made it, it holds on to 4 KiB (measured)."""
    return bytes(memoryview(text))


def _body(index: int, at_s: int, pieces: Sequence[bytes]) -> Body:
    size = sum(map(len, pieces))
    if size <= JOINED_BYTES:
        pieces = [b"".join(pieces)]
    return Body(index, at_s, tuple(pieces), size)


def _slices(instances: Sequence[Instance]) -> Iterable[Sequence[Instance]]:
    for start in range(0, len(instances), SLICE):
        yield instances[start : start + SLICE]
