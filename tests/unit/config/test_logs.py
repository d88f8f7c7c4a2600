"""Log lines: the seed's fields, bounded, and never the reason for a failure."""

import json
import logging
import re
import sys

from hypothesis import given
from hypothesis import strategies as st

from registry.logs import (
    MAX_ITEMS,
    MAX_TEXT_CHARS,
    LibraryHandler,
    LineRenderer,
    LineSink,
    bounded,
)


def json_line(**event: object) -> dict[str, object]:
    """Render one event and read it back."""
    line = LineRenderer(console=False, node_id="a").render(dict(event))
    assert "\n" not in line
    parsed: dict[str, object] = json.loads(line)
    return parsed


def test_a_line_has_the_seeds_fields_in_its_order() -> None:
    """Whatever reads the seed's logs reads ours."""
    line = json_line(
        event="Service registered", level="info", service_id="x", service_name="web"
    )

    assert list(line) == [
        "timestamp", "level", "service", "message", "node_id", "service_id",
        "service_name",
    ]  # fmt: skip
    assert line["service"] == "service-registry"
    assert line["message"] == "Service registered"
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line["timestamp"])
    )


def test_a_field_cannot_pass_for_one_of_ours() -> None:
    """Fields can hold what clients sent, but they never replace the envelope."""
    line = json_line(event="x", service="evil", timestamp="never")

    assert line["service"] == "service-registry"
    assert line["service_"] == "evil"


def test_sizes_are_bounded() -> None:
    """A client's megabyte must not become ours."""
    line = json_line(
        event="x" * 10_000,
        text="y" * 10_000,
        many=list(range(10_000)),
        deep=[[[[[[["z"]]]]]]],
        **{f"k{i}": i for i in range(100)},
    )

    assert len(str(line["message"])) < MAX_TEXT_CHARS + 40
    assert str(line["text"]).endswith("… (10000 characters)")
    assert line["many"] == list(range(MAX_ITEMS))
    assert len(line) <= MAX_ITEMS + 5
    assert len(json.dumps(line)) < 64 * 1024


def test_an_exception_is_one_field_and_keeps_its_end() -> None:
    """The end of a traceback names the error."""
    try:
        raise ValueError("the reason" + "x" * 20_000 + "the end")
    except ValueError:
        line = json_line(event="Broke", exc_info=True)

    assert str(line["exception"]).rstrip().endswith("the end")
    assert len(str(line["exception"])) < 9_000


class _Hostile:
    """Cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError

    __repr__ = __str__


def test_what_cannot_be_shown_is_named_by_its_type() -> None:
    """A broken field must not cost the line."""
    line = json_line(event=_Hostile(), field=_Hostile(), data=b"123", huge=10**30)

    assert line["message"] == "<_Hostile>"
    assert line["field"] == "<_Hostile>"
    assert line["data"] == "<3 bytes>"
    assert line["huge"] == str(10**30)


@given(
    st.dictionaries(
        st.text(),
        st.recursive(
            st.none() | st.integers() | st.floats() | st.binary()
            | st.text(st.characters(exclude_categories=())),
            lambda inner: st.lists(inner) | st.dictionaries(st.integers(), inner),
            max_leaves=8,
        ),
    )
)  # fmt: skip
def test_any_fields_make_one_line_of_json(fields: dict[str, object]) -> None:
    """Lone surrogates, NaN, huge numbers, odd keys: all have been seen in the wild."""
    fields.pop("exc_info", None)
    line = json_line(**{**fields, "event": "x", "level": "info"})

    assert line["message"] == "x"


def test_what_takes_the_lines_may_fail() -> None:
    """Whoever logs must not be broken by it."""

    def broken(line: str) -> None:
        raise OSError

    LineSink(LineRenderer(console=False), broken).write({"event": "x"})


def test_the_console_shows_control_characters_instead_of_sending_them() -> None:
    """A service's name must not recolour or clear an operator's terminal."""
    line = LineRenderer(console=True).render(
        {"event": "Service \x1b[2Jregistered", "level": "info", "name": "a\nb\x07"}
    )

    assert "\x1b[2J" not in line
    assert "\n" not in line
    assert r"a\nb\x07" in line


def test_library_logs_come_through_even_when_they_are_wrong() -> None:
    """A library's bad format string must not raise in our process."""
    lines: list[str] = []
    handler = LibraryHandler(LineSink(LineRenderer(console=False), lines.append))
    for message, arguments in (("hello %s", ("you",)), ("hello %d", ("you",))):
        record = logging.LogRecord(
            "lib", logging.WARNING, __file__, 1, message, arguments, None
        )
        handler.handle(record)

    first, second = map(json.loads, lines)

    assert (first["message"], first["logger"]) == ("hello you", "lib")
    assert first["level"] == "warning"
    assert second["message"] == "hello %d"


def test_bounded_values_are_json_types() -> None:
    """What the renderer gets needs no fallback."""
    assert bounded({1: (1, {2})}) == {"1": [1, [2]]}
    assert bounded(sys.maxsize) == sys.maxsize
