"""Deadlines are looked at when due; many at risk at once are suspicious."""

from registry.leases.table import SPARE_ENTRIES, Deadlines, Share


def test_what_is_due_comes_out_in_the_order_of_its_time() -> None:
    """And nothing comes out before."""
    looks: Deadlines[str] = Deadlines()
    looks.put("b", 2.0)
    looks.put("a", 1.0)
    looks.put("c", 3.0)
    assert looks.next_s() == 1.0
    assert looks.pop_due(0.9, 9) == []
    assert looks.pop_due(2.0, 9) == ["a", "b"]
    assert "c" in looks
    assert len(looks) == 1


def test_the_last_time_that_was_put_counts() -> None:
    """Both to earlier and to later, and an item comes out once."""
    looks: Deadlines[str] = Deadlines()
    looks.put("a", 1.0)
    looks.put("a", 5.0)
    assert looks.pop_due(4.0, 9) == []
    looks.put("a", 2.0)
    looks.put("a", 2.0)
    assert looks.pop_due(9.0, 9) == ["a"]
    assert looks.pop_due(9.0, 9) == []


def test_what_was_dropped_does_not_come_out() -> None:
    """It may be put again."""
    looks: Deadlines[str] = Deadlines()
    looks.put("a", 1.0)
    looks.drop("a")
    looks.drop("never there")
    assert looks.next_s() is None
    looks.put("a", 1.0)
    assert looks.pop_due(1.0, 9) == ["a"]


def test_a_turn_takes_a_bounded_number() -> None:
    """The rest is taken by the next one."""
    looks: Deadlines[int] = Deadlines()
    for item in range(10):
        looks.put(item, 1.0)
    assert looks.pop_due(1.0, 4) == [0, 1, 2, 3]
    assert len(looks) == 6


def test_half_of_all_and_at_least_five_are_suspicious() -> None:
    """Four services that die together are just that."""
    assert not Share(4, 4).is_suspicious
    assert Share(5, 9).is_suspicious
    assert not Share(5, 10).is_suspicious


def test_who_registers_anew_all_day_does_not_fill_the_heap() -> None:
    """Each time leaves a stale entry, which a lease of a month would keep for weeks."""
    looks: Deadlines[str] = Deadlines()
    for number in range(10 * SPARE_ENTRIES):
        looks.put("a", 1e6 + number)
        looks.put(f"gone-{number}", 1e6)
        looks.drop(f"gone-{number}")
    assert looks.entries <= SPARE_ENTRIES + 2
    assert looks.pop_due(2e6, 9) == ["a"]
