"""Something that a test does all the while: a thread that lasts as long as a `with`."""

import threading
from typing import Self

JOIN_S = 20.0


class Background:
    """Runs ``run`` in a thread; it must look at ``is_over`` often."""

    def __init__(self, name: str) -> None:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self.run, name=name)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(JOIN_S)

    @property
    def is_over(self) -> bool:
        """Whether the test needs no more of it."""
        return self._over.is_set()

    def pause(self, seconds: float) -> None:
        """Wait, unless it is over."""
        self._over.wait(seconds)

    def run(self) -> None:
        """Do it, until it is over."""
        raise AssertionError("a background without work")
