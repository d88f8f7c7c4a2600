"""What commands print, and what they make of their arguments."""

import pytest

from registry.commands.catalog import parse_metadata
from registry.commands.failures import CommandFailed, WrongSetting
from registry.commands.output import cell, plain
from registry.commands.status import age, member_rows, summary_lines
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

    assert first == ("a", "leader", "http://h1:8100", True, 43, 0, "< 1 s ago")
    assert [plain(v) for v in second] == ["b", "follower", "-", "no", "-", "-", "-"]


def test_a_member_that_is_not_heard_is_called_nothing() -> None:
    """A dead one is no follower, and its lag is that of when it was last heard."""
    gone = {"node_id": "c", "http": "http://h3:8100", "connected": False,
            "index": 40, "lag": 3, "contact_age_ms": 32_900}  # fmt: skip
    lost_leader = {"node_id": "a", "connected": False, "lag": 0}

    rows = member_rows(CLUSTER | {"members": [gone, lost_leader]})

    assert rows[0] == ("c", None, "http://h3:8100", False, 40, None, "32 s ago")
    assert rows[1][:2] == ("a", None)
    assert cell(rows[0][3]).style == "red"


def test_ages_are_said_in_one_unit() -> None:
    """Nobody reads 7200000 ms; and what is no number comes from something else."""
    ages = [0, 999, 1_000, 119_000, 120_000, 7_200_000, 200_000_000]

    assert [age(ms) for ms in ages] == [
        "< 1 s ago", "< 1 s ago", "1 s ago", "119 s ago", "2 min ago", "2 h ago",
        "2 d ago",
    ]  # fmt: skip
    odd: list[object] = [None, "x", True, []]
    assert [age(value) for value in odd] == [None] * 4


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
