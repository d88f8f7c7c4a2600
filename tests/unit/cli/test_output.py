"""What commands print, and what they make of their arguments."""

import pytest

from registry.commands.catalog import parse_metadata
from registry.commands.failures import CommandFailed, WrongSetting
from registry.commands.output import cell, plain
from registry.commands.status import member_rows, summary_lines
from registry.commands.target import parse_urls

CLUSTER = {
    "node_id": "b", "role": "follower", "term": 3, "leader": "a", "index": 42,
    "cluster_id": "c1", "epoch": 1, "caught_up": True, "contact_age_ms": 12,
    "degraded": ["disk_low"],
    "members": [
        {"node_id": "a", "http": "http://h1:8100", "connected": True, "index": 43,
         "lag": 0, "contact_age_ms": 12},
        {"node_id": "b", "http": "", "connected": False, "index": None,
         "lag": None, "contact_age_ms": None},
    ],
}  # fmt: skip


def test_the_summary_names_leader_term_and_trouble() -> None:
    """Enough to judge a cluster at a glance."""
    text = "\n".join(summary_lines(CLUSTER))

    assert "term 3, leader a, index 42" in text
    assert "degraded: disk_low" in text


def test_member_rows_survive_missing_values() -> None:
    """A member never heard of has neither index nor address."""
    first, second = member_rows(CLUSTER)

    assert first == ("a", "leader", "http://h1:8100", True, 43, 0, "12 ms ago")
    assert [plain(v) for v in second] == ["b", "follower", "-", "no", "-", "-", "-"]


@pytest.mark.parametrize("body", [None, [], "x", {"members": [5]}, {"members": 5}])
def test_a_foreign_answer_is_no_traceback(body: object) -> None:
    """Something else may listen at that port."""
    assert member_rows(body) == []
    if not isinstance(body, dict):
        with pytest.raises(CommandFailed, match="service registry"):
            summary_lines(body)


def test_cells_are_harmless() -> None:
    """Names come from clients: no markup, no escape sequences."""
    assert cell("[red]x[/red]").plain == "[red]x[/red]"
    assert plain("a\x1b[2Jb\n") == r"a\x1b[2Jb\n"
    assert plain({"k": "v\r"}) == r"k=v\r"
    assert plain(["a", "b"]) == "a,b"


def test_targets_are_a_list_of_addresses() -> None:
    """As SERVICE_REGISTRY_URL holds them."""
    assert parse_urls("http://a:1/, b:2 ,https://c") == [
        "http://a:1", "http://b:2", "https://c",
    ]  # fmt: skip
    for wrong in ("", ",", "ftp://x", "http://u:p@h", "nonsense"):
        with pytest.raises(WrongSetting, match="--url"):
            parse_urls(wrong)


def test_metadata_is_key_and_value() -> None:
    """The value may hold an equals sign; the key may not be empty."""
    assert parse_metadata(("a=1=2", "b=")) == {"a": "1=2", "b": ""}
    with pytest.raises(WrongSetting, match="KEY=VALUE"):
        parse_metadata(("a",))
