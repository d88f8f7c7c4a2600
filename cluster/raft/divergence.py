"""The proof that replicas hold the same state: equal CRCs at equal indexes (I1)."""

from collections import OrderedDict
from collections.abc import Callable
from typing import NoReturn

from cluster.ledger import Ledger

MAX_EXPECTED = 16


class Divergence:
    """Compares the ledger's running CRC with the leader's."""

    def __init__(self, ledger: Ledger, fatal: Callable[[str], NoReturn]) -> None:
        self._ledger = ledger
        self._fatal = fatal
        self._expected: OrderedDict[int, int] = OrderedDict()
        self.compared = 0
        """Comparisons made, for the metrics: a proof that is never made proves nothing.
        """

    def newest(self) -> tuple[int, int]:
        """Return the newest (index, CRC) of ours, (0, 0) before the first."""
        checks = self._ledger.checks
        return next(reversed(checks.items())) if checks else (0, 0)

    def leader_said(self, index: int, crc: int) -> None:
        """The leader's CRC at ``index``: compare now, or when we get there."""
        if index == 0:
            return
        if index in self._ledger.checks:
            self._compare(index, crc)
        elif index > self._ledger.index:
            self._expected[index] = crc
            if len(self._expected) > MAX_EXPECTED:
                self._expected.popitem(last=False)

    def applied(self, index: int) -> None:
        """``index`` was applied."""
        if self._expected:
            crc = self._expected.pop(index, None)
            if crc is not None:
                self._compare(index, crc)

    def _compare(self, index: int, crc: int) -> None:
        self.compared += 1
        ours = self._ledger.checks.get(index)
        if ours is not None and ours != crc:
            self._fatal(
                f"diverged: at index {index} our CRC is {ours}, the leader's {crc}"
            )
