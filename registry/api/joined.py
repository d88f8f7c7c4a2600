"""The texts of a short list in one, to begin with another one each second. Pure.

    places   0        9              20                 31
    a ring   text 0 , text 1 ,       text 2 ,           (text 0 again)
    kept     text 1 , text 2 , text 0        if it begins with 1

Whichever text comes first, the others follow in the same order. So the next second's
list is two slices of this one's, and no text is kept beside the list it stands in.
"""

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from registry.model import Instance

PLACE_BYTES = 16
"""What it costs to know where an instance's text lies, about."""


@dataclass(frozen=True, slots=True)
class Joined:
    """``text[start:end]`` is what the instances' texts were joined to.

    Invariant: it begins with that of ``instances[first]``; ``places`` are where each
    begins in the ring, and at the end the ring's length.
    """

    instances: tuple[Instance, ...]
    places: Sequence[int]
    first: int
    text: bytes
    start: int
    end: int

    def begun_with(self, first: int) -> bytes:
        """Return the same texts, beginning with another one."""
        place = self.start + self._place(first)
        if place == self.start:
            return self.text[self.start : self.end]
        return b",".join(
            (self.text[place : self.end], self.text[self.start : place - 1])
        )

    def by_identity(self) -> dict[int, bytes]:
        """Return each text by the identity of its instance, which is held here."""
        found: dict[int, bytes] = {}
        for number, instance in enumerate(self.instances):
            place = self.start + self._place(number)
            length = self.places[number + 1] - self.places[number] - 1
            found[id(instance)] = self.text[place : place + length]
        return found

    def _place(self, number: int) -> int:
        return (self.places[number] - self.places[self.first]) % self.places[-1]


def places_of(texts: Sequence[bytes]) -> Sequence[int]:
    """Return where each begins in a ring of them, and its length."""
    return array("I", accumulate((len(text) + 1 for text in texts), initial=0))
