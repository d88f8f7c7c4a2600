"""The texts of a short list in one: whatever it begins with, it holds the same."""

import pytest

from registry.api.joined import Joined, places_of
from registry.model import Instance, Registration, ServiceId, ServiceName, Status

TEXTS = [b"one", b"", b"three,", b"4", b"five" * 100]
HEAD = b"head:"


def joined(texts: list[bytes], first: int) -> Joined:
    """Return them behind a head and before an end, beginning with one of them."""
    listed = b",".join(texts[first:] + texts[:first])
    end = len(HEAD) + len(listed)
    instances = tuple(_instance(number) for number in range(len(texts)))
    text = HEAD + listed + b"end"
    return Joined(instances, places_of(texts), first, text, len(HEAD), end)


def _instance(number: int) -> Instance:
    name, service_id = ServiceName("web"), ServiceId(f"id-{number}")
    registration = Registration(service_id, name, "h", number, 256, 0, 15.0)
    return Instance(registration, Status.HEALTHY, "registered", 0, 1)


@pytest.mark.parametrize("count", range(1, len(TEXTS) + 1))
def test_it_can_begin_with_any_of_them(count: int) -> None:
    """As if it had been joined anew in that order."""
    texts = TEXTS[:count]
    for first in range(count):
        for other in range(count):
            expected = b",".join(texts[other:] + texts[:other])
            assert joined(texts, first).begun_with(other) == expected


@pytest.mark.parametrize("first", range(len(TEXTS)))
def test_each_text_is_found_by_its_instance(first: int) -> None:
    """Wherever it lies, commas in it or nothing at all."""
    ring = joined(TEXTS, first)
    found = ring.by_identity()

    assert [found[id(instance)] for instance in ring.instances] == TEXTS
