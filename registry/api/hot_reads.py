"""Lists that are asked for again and again, as whole answers in bytes.

The ordinary handler says what a target means and offers it here (``learn``); from then
on its answers are made of the same bodies. One is sent as long as the index of its
service stands and its second lasts (see `bodies.py`), and only while this replica may
answer plain reads without a word on their age (I10): in any other state nothing is hot.
"""

from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

from aiohttp import web
from multidict import CIMultiDict

from registry.api import wire
from registry.api.bodies import ServiceBodies
from registry.api.middleware import NODE_HEADER
from registry.api.options import is_unchanged
from registry.discovery import Discovery, InstanceFilter
from registry.ports import Clock

LOOK_AGAIN_S = 0.005
"""How long what this replica may answer is taken as it was seen."""
TARGETS_PER_SERVICE = 16
MAX_BYTES = 64 * 1024 * 1024
"""Of all answers kept; the one that was learned longest ago goes first."""
CELL_BYTES = 1_000
"""What keeping one costs beside its bytes, about."""

Headers = Callable[[InstanceFilter, int], dict[str, str]]


class Moment:
    """While it lasts answers may be sent as they are; told apart by identity."""

    __slots__ = ("at_s", "date")

    def __init__(self, at_s: int, date: bytes) -> None:
        self.at_s = at_s
        self.date = date


@dataclass(slots=True)
class _Cell:
    """One target, and its answer of one moment."""

    name: str
    wanted: InstanceFilter
    index: int = -1
    moment: Moment | None = None
    answer: bytes = b""
    headers: CIMultiDict[str] = field(default_factory=CIMultiDict)
    """Of the answer, for conditional requests."""
    head: bytes = b""
    head_of: tuple[str, int, int] = ("", -1, -1)
    """The cluster, the index and the length that ``head`` tells."""
    size: int = 0


class HotReads:
    """Answers to known targets. Invariant: ``_bytes`` is the size of all cells."""

    def __init__(
        self,
        discovery: Discovery,
        bodies: ServiceBodies,
        clock: Clock,
        *,
        node_id: str,
        headers: Headers,
        max_bytes: int = MAX_BYTES,
    ) -> None:
        """``headers(wanted, index)``: those of an ordinary answer."""
        self._discovery = discovery
        self._service_index = discovery.service_index
        self._bodies = bodies
        self._clock = clock
        self._node_id = node_id
        self._headers = headers
        self._max_bytes = max_bytes
        self._cells: OrderedDict[bytes, _Cell] = OrderedDict()
        self._by_name: dict[str, deque[bytes]] = {}
        self._bytes = 0
        self._dates = wire.Dates()
        self._moment: Moment | None = None
        self._cluster_id = ""
        self._look_at_s = 0.0
        self.listed = 0
        """Answers with a list, since these were last counted."""
        self.unchanged = 0
        """The same without one: 304."""

    def learn(self, target: bytes, name: str, wanted: InstanceFilter) -> None:
        """Know from now on what a target asks for. Only the newest of each service."""
        if target in self._cells or not self._discovery.is_known(name):
            return
        targets = self._by_name.setdefault(name, deque())
        targets.append(target)
        cell = self._cells[target] = _Cell(name, wanted)
        if len(targets) > TARGETS_PER_SERVICE:
            self._forget(targets[0])
        self._resize(cell, CELL_BYTES)

    def knows(self, target: bytes) -> bool:
        """Whether an answer can be expected: it may still have to be refused."""
        return target in self._cells

    def answer(
        self, target: bytes, condition: bytes | None, now_s: float
    ) -> bytes | None:
        """Return the whole answer, or None: the ordinary handler must give it.

        ``now_s`` is the event loop's time.
        """
        cell = self._cells.get(target)
        if cell is None:
            return None
        if now_s >= self._look_at_s:
            self._look(now_s)
        moment = self._moment
        if moment is None:
            return None
        index = self._service_index(cell.name)
        is_current = cell.moment is moment and cell.index == index
        if not is_current and not self._renew(target, cell, moment):
            return None
        if condition is not None:
            return self._conditional(cell, condition, moment)
        self.listed += 1
        return cell.answer

    def _conditional(self, cell: _Cell, condition: bytes, moment: Moment) -> bytes:
        asked = condition.decode("utf-8", "surrogateescape")
        if not is_unchanged(asked, cell.headers.get("ETag")):
            self.listed += 1
            return cell.answer
        self.unchanged += 1
        headers = cell.headers.copy()
        del headers["Content-Type"]
        return wire.unchanged(web.Response(status=304, headers=headers), moment.date)

    def _look(self, now_s: float) -> None:
        """See whether plain reads may be answered, and which second it is."""
        self._look_at_s = now_s + LOOK_AGAIN_S
        at_s, date = self._clock.wall_ms() // 1000, self._dates.now()
        cluster_id = self._discovery.cluster_id()
        former = self._moment
        if not self._discovery.is_fresh():
            self._moment = None
        elif (
            former is None
            or (former.at_s, former.date) != (at_s, date)
            or cluster_id != self._cluster_id
        ):
            self._moment = Moment(at_s, date)
        self._cluster_id = cluster_id

    def _renew(self, target: bytes, cell: _Cell, moment: Moment) -> bool:
        try:
            body = self._bodies.at_once(cell.name, cell.wanted)
        except Exception:
            # A defect: the ordinary handler meets it as well, says so and answers 500.
            return False
        if body is None:  # gone, or too large to be rendered at once
            if not self._discovery.is_known(cell.name):
                self._forget(target)
            return False
        head_of = (self._cluster_id, body.index, body.size)
        if cell.head_of != head_of:
            response = web.Response(
                headers=self._headers(cell.wanted, body.index),
                content_type="application/json",
            )
            response.headers[NODE_HEADER] = self._node_id
            cell.head, cell.head_of = wire.head(response, body.size), head_of
            cell.headers = response.headers
        cell.index, cell.moment = body.index, moment
        cell.answer = wire.whole(cell.head, moment.date, body.pieces[0])
        self._resize(cell, CELL_BYTES + len(cell.answer) + body.size)
        return True

    def _resize(self, cell: _Cell, size: int) -> None:
        self._bytes += size - cell.size
        cell.size = size
        while self._bytes > self._max_bytes and self._cells:
            self._forget(next(iter(self._cells)))

    def _forget(self, target: bytes) -> None:
        cell = self._cells.pop(target)
        self._bytes -= cell.size
        targets = self._by_name[cell.name]
        targets.remove(target)
        if not targets:
            del self._by_name[cell.name]
