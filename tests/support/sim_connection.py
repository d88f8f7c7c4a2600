"""One simulated connection: the frames of the node that dialled it, in their order."""

from collections import deque
from typing import TYPE_CHECKING

from tests.support.sim_network import CUT_POLL_S, SimNetwork

if TYPE_CHECKING:
    from tests.support.sim_links import SimLinks

FRAME_BYTES = 2 * 1024 * 1024
BUFFER_BYTES = 16 * 1024 * 1024
LATE_FRAMES = 20
"""At most so many frames of a broken connection still arrive."""


class Connection:
    """Frames on their way from ``dialler`` to ``target``, in order."""

    def __init__(
        self, net: SimNetwork, dialler: "SimLinks", target: "SimLinks"
    ) -> None:
        self.dialler = dialler
        self.target = target
        self.open = True
        self._net = net
        self._queue: deque[tuple[float, bytes]] = deque()
        self._bytes = 0
        self._last_due_s = 0.0
        self._pumping = False

    def push(self, frame: bytes) -> bool:
        """Send ``frame``; False if it is too large, the buffer full, or all over."""
        if not self.open:
            return False
        if len(frame) > FRAME_BYTES or self._bytes + len(frame) > BUFFER_BYTES:
            return False
        due_s = self._net.sim.time() + self._net.delay_s()
        self._last_due_s = max(due_s, self._last_due_s)
        self._queue.append((self._last_due_s, frame))
        self._bytes += len(frame)
        self._pump_later()
        return True

    def close(self, *, keep: int = 0) -> None:
        """Send no more; of what is under way only the first ``keep`` frames arrive."""
        self.open = False
        while len(self._queue) > keep:
            self._queue.pop()

    def close_broken(self) -> None:
        """Break; rarely, what is under way still arrives, late."""
        net = self._net
        late = net.random.random() < net.weather.late if net.weather.late else False
        self.close(keep=LATE_FRAMES if late else 0)
        if late:
            shift_s = net.random.uniform(0.0, 1.0)
            self._queue = deque((due_s + shift_s, f) for due_s, f in self._queue)

    def under_way(self) -> int:
        """Return how many frames have not arrived."""
        return len(self._queue)

    def _pump_later(self) -> None:
        if self._queue and not self._pumping:
            self._pumping = True
            self._net.sim.call_at(self._queue[0][0], self._pump)

    def _pump(self) -> None:
        self._pumping = False
        net, now_s = self._net, self._net.sim.time()
        source, target = self.dialler.node_id, self.target.node_id
        while self._queue and self._queue[0][0] <= now_s:
            if net.is_cut(source, target):
                self._pumping = True
                net.sim.call_later(CUT_POLL_S, self._pump)
                return
            _, frame = self._queue.popleft()
            self.target.loop.call_soon(self._receive, frame)
            if net.weather.duplicated and net.random.random() < net.weather.duplicated:
                again_s = net.random.uniform(0.0, 0.3)
                self.target.loop.call_later(again_s, self.target.receive, self, frame)
        self._pump_later()

    def _receive(self, frame: bytes) -> None:
        self._bytes -= len(frame)
        self.target.receive(self, frame)
