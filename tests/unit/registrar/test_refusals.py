"""Refusals: bounded in number and size, found by name, id or host."""

from registry.refusals import KEPT, Refusal, Refusals


def _refusal(number: int, name: str = "web") -> Refusal:
    return Refusal(
        at_ms=number,
        peer="10.0.0.9",
        request="POST /register",
        name=name,
        code="invalid_field",
        detail="port is missing",
    )


def test_the_newest_are_kept_and_come_first() -> None:
    """A client that retries for ever must not fill the memory."""
    refusals = Refusals()
    for number in range(KEPT + 5):
        refusals.note(_refusal(number))

    assert len(refusals) == KEPT
    assert [r.at_ms for r in refusals.latest(limit=2)] == [KEPT + 4, KEPT + 3]


def test_they_are_found_by_name() -> None:
    """Whoever asks has one service in mind."""
    refusals = Refusals()
    refusals.note(_refusal(1, "web"))
    refusals.note(_refusal(2, "api"))

    assert [r.at_ms for r in refusals.latest("web")] == [1]
    assert refusals.latest("web2") == []
