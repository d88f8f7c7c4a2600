"""What has come to stay is kept out of the collector's sight."""

from registry.garbage import LEAST_GROWTH, MOST_GROWTH, Freezer


class Growing:
    """A catalog of a size, and a collector that is asked to freeze."""

    def __init__(self) -> None:
        self.size = 0
        self.frozen: list[int] = []
        self.freezer = Freezer(lambda: self.size, lambda: self.frozen.append(self.size))

    def becomes(self, *sizes: int) -> list[int]:
        """Return at which sizes it was frozen."""
        for self.size in sizes:
            self.freezer.look()
        return self.frozen


def test_a_catalog_that_has_grown_by_a_tenth_is_frozen() -> None:
    """And again after the next tenth."""
    growing = Growing()

    assert growing.becomes(20_000, 21_000, 22_000, 23_000, 24_200) == [
        20_000,
        22_000,
        24_200,
    ]


def test_a_large_one_is_frozen_long_before_it_has_grown_by_a_tenth() -> None:
    """What has come since the last time would be a burden of its own."""
    assert Growing().becomes(10**6, 10**6 + 3_999, 10**6 + 4_000) == [
        10**6,
        10**6 + MOST_GROWTH,
    ]


def test_a_small_one_is_not() -> None:
    """A collection of so little takes no time."""
    assert Growing().becomes(0, 10, LEAST_GROWTH - 1) == []


def test_after_it_has_shrunk_growth_counts_from_there() -> None:
    """What came instead of the old is as new as any."""
    assert Growing().becomes(50_000, 10_000, 12_000) == [50_000, 12_000]
