"""Who is told of what is applied, as it is applied: duties that follow the catalog.

Told on every replica, also of what is replayed at a start, on the event loop, within
``apply`` or ``applied``. A listener may look at nothing but its arguments, changes no
state of the catalog, never raises and returns at once: it makes a note, and acts later.
"""

from typing import Protocol

from registry.catalog.commands import Key, Opinion, Suspect


class Listener(Protocol):
    """Hears what is applied; see the module."""

    def changed(self, keys: list[Key]) -> None:
        """By one entry, registrations, status or drain of these instances changed.

        Or they are gone. Told once the entry is applied; one may be in it twice.
        """

    def suspected(self, position: int, command: Suspect) -> None:
        """The leader asks for an opinion."""

    def opined(self, position: int, command: Opinion) -> None:
        """A replica gave one."""
