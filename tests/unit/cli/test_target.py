"""What is said when nobody can be asked."""

from registry.commands.target import DEFAULT_URL, nobody_answered, parse_urls

HINT = "name others with --url or SERVICE_REGISTRY_URL"
REFUSED: dict[str, object] = {"url": DEFAULT_URL, "detail": "nothing listens there"}


def test_silence_at_the_default_address_says_how_to_name_others() -> None:
    """Whoever gave no address may not know that there is one."""
    error = nobody_answered(parse_urls(DEFAULT_URL), [REFUSED])

    assert error.message.splitlines()[-1].strip() == HINT
    assert f"{DEFAULT_URL}: nothing listens there" in error.message


def test_no_hint_where_it_would_mislead() -> None:
    """Addresses were named, or a replica is there and cannot answer now."""
    unready = REFUSED | {"detail": "nobody leads", "problem": {"code": "no_leader"}}

    assert HINT not in nobody_answered(["http://h:1"], [REFUSED]).message
    assert HINT not in nobody_answered(parse_urls(DEFAULT_URL), [unready]).message
