"""Which known name a mistyped one may have meant."""

from registry.nearest import KEPT, SLICE_COST, Nearest, slices


def nearest(query: str, *names: str) -> tuple[str, ...]:
    """Return the best five of the names."""
    search = Nearest(query)
    search.consider(names)
    return search.best(5)


def test_case_and_separators_are_what_people_mistype_first() -> None:
    """The same letters come before all that only look alike."""
    assert nearest("billing_API", "billing-apis", "billing-api")[0] == "billing-api"


def test_a_letter_too_few_too_many_or_swapped_is_found() -> None:
    """The three slips of a hurried hand."""
    for slip in ("biling", "billingg", "blilings", "billign"):
        assert nearest(slip, "orders", "billing", "web") == ("billing",)


def test_part_of_a_name_finds_the_whole() -> None:
    """As when the prefix of a team was forgotten."""
    assert nearest("billing", "team-a-billing", "web") == ("team-a-billing",)


def test_what_has_nothing_in_common_is_not_suggested() -> None:
    """No suggestion is better than a silly one."""
    assert nearest("billing", "orders", "b", "web") == ()
    assert nearest("", "orders", "b") == ()


def test_a_slice_is_short_by_characters_not_by_names() -> None:
    """A thousand of the longest names at once would hold up the loop for 70 ms."""
    names = [f"{n:03}" * 80 for n in range(200)]
    parts = list(slices(names))

    assert [name for part in parts for name in part] == names
    assert all(sum(map(len, part)) <= SLICE_COST for part in parts)
    assert [len(part) for part in slices(["web"] * 1000)] == [870, 130]
    assert list(slices([])) == []


def test_the_best_is_found_behind_many_that_are_worse() -> None:
    """Only a few are kept, and they are the nearest ones."""
    search = Nearest("service-01234x")
    for thousand in range(10):
        search.consider(f"service-{thousand:02}{n:03}" for n in range(1000))
    assert "service-01234" in search.best(KEPT)[:5]
