"""What happened when: short lines for whoever must understand a failed seed."""

from collections import deque
from collections.abc import Callable

LINES = 2_000
"""The newest lines are kept; older ones seldom explain a failure."""


class Timeline:
    """Events in virtual time. With ``echo``, each is also shown at once."""

    def __init__(
        self, now_s: Callable[[], float], echo: Callable[[str], None] | None = None
    ) -> None:
        self.now_s = now_s
        self._echo = echo
        self._lines: deque[str] = deque(maxlen=LINES)

    def say(self, text: str) -> None:
        """Note ``text`` at the present time."""
        line = f"{self.now_s():9.3f}  {text}"
        self._lines.append(line)
        if self._echo is not None:
            self._echo(line)

    def last(self, count: int) -> list[str]:
        """Return the newest ``count`` lines, oldest first."""
        return list(self._lines)[-count:]
