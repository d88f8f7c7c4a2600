"""The catalog of the leases workload: its commands are signed (``LeaseJudge.sign``)."""

from collections.abc import Callable, Iterator

from registry.catalog.machine import CatalogMachine
from tests.simulation.lease_judge import NONCE_BYTES, LeaseJudge


class SimLeaseCatalog(CatalogMachine):
    """The catalog, comparable as a whole; tells the judge what is applied."""

    def __init__(self, lease_judge: LeaseJudge) -> None:
        super().__init__()
        self.on_applied: Callable[[int], None] = lambda _: None
        self.on_restored: Callable[[int], None] = lambda _: None
        self._lease_judge = lease_judge

    def content(self) -> tuple[bytes, ...]:
        """Return the snapshot without its header, which names the index."""
        return tuple(self.snapshot())[1:]

    def apply(self, position: int, command: bytes) -> bytes:
        """Apply what was signed."""
        outcome = super().apply(position, command[NONCE_BYTES:])
        self._lease_judge.applied(self, position, command, outcome)
        return outcome

    def applied(self, index: int) -> None:
        """Publish, then let the duties know."""
        super().applied(index)
        self.on_applied(index)

    def restore(self, chunks: Iterator[bytes]) -> Iterator[None]:
        """Restore, then let the duties know."""
        yield from super().restore(chunks)
        self.on_restored(self.catalog.index)
