"""What a load counts while it runs."""

from math import ceil


class Tally:
    """Answers, errors, and answers by the second from the beginning on."""

    def __init__(self, began_s: float, seconds: float) -> None:
        self.requests = 0
        self.errors = 0
        self._began_s = began_s
        self._by_second = [0] * max(1, ceil(seconds))

    def count(self, *, is_success: bool, now_s: float) -> None:
        """Count one answer."""
        if not is_success:
            self.errors += 1
            return
        self.requests += 1
        second = int(now_s - self._began_s)
        if second < len(self._by_second):
            self._by_second[second] += 1

    def rate_by_second(self, seconds: float) -> tuple[float, ...]:
        """Return the rate in each second; the last may have been shorter."""
        last = len(self._by_second) - 1
        return tuple(
            count / (1.0 if index < last else max(seconds - last, 1e-3))
            for index, count in enumerate(self._by_second)
        )
