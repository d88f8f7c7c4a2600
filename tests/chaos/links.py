"""Which links between replicas are cut, and who is to be called touched by that."""

from collections.abc import Collection
from itertools import combinations


class Links:
    """The directed links of a cluster; those that were cut are known."""

    def __init__(self, node_ids: Collection[str]) -> None:
        self._node_ids = tuple(node_ids)
        self._cut: set[tuple[str, str]] = set()

    def cut(
        self, node_id: str, others: Collection[str], *, inbound: bool, outbound: bool
    ) -> None:
        """Lose what others send to it (``inbound``) or it sends to them."""
        for other in others:
            if inbound:
                self._cut.add((other, node_id))
            if outbound:
                self._cut.add((node_id, other))

    def heal(self) -> None:
        """Make all of them whole."""
        self._cut.clear()

    def touched(self) -> tuple[str, ...]:
        """Return all but those that certainly belong to a whole majority.

        That is the minority, where one is cut off; everybody, where no majority is
        left; and both sides of a bridge, as it may stand with either of them.
        """
        count = len(self._node_ids)
        for size in range(count, count // 2, -1):
            whole = [
                set(group)
                for group in combinations(self._node_ids, size)
                if not any({one, other} <= set(group) for one, other in self._cut)
            ]
            if whole:
                sure = set.intersection(*whole)
                return tuple(n for n in self._node_ids if n not in sure)
        return self._node_ids
