"""How long to wait before the next attempt to connect. Pure; randomness is given."""

from random import Random


class Backoff:
    """Jittered waits between two bounds, with an upper one that doubles.

    Jitter over the whole range: replicas that lost each other at one moment should not
    dial at one moment.
    """

    def __init__(self, random: Random, *, min_s: float, max_s: float) -> None:
        self._random = random
        self._min_s = min_s
        self._max_s = max_s
        self._ceiling_s = min_s

    def reset(self) -> None:
        """Begin with short waits again: the last link lasted."""
        self._ceiling_s = self._min_s

    def next_s(self) -> float:
        """Return the wait before the next attempt."""
        self._ceiling_s = min(self._max_s, 2 * self._ceiling_s)
        return self._random.uniform(self._min_s, self._ceiling_s)
