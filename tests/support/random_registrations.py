"""Bodies of ``POST /register`` at random: right, nearly right, and anything but.

They are made as text, not as values: what is to be found is where two JSON parsers
differ, and a value does not say how it was written.
"""

import json
from collections.abc import Sequence

from hypothesis import strategies as st

from registry.catalog import bounds

NUMBERS = (
    *("0", "-0", "0.0", "-0.0", "1", "-1", "1.0", "80.0", "1e0", "1E3", "8e1", "1e+2"),
    *("0.5", "0.99999999999999999999999", "0.9999999999999999", "1.0000000000000001"),
    *("2592000", "2592000.0", "2592000.0000000001", "2592000.1", "2592001", "25920e2"),
    *("65535", "65536", "65535.0", "599", "600", "0.05", "0.049", "300", "86400.1"),
    *(str(2**53), str(2**53 + 1), str(2**63 - 1), str(2**63), str(2**63 + 1)),
    *(str(2**64 - 1), str(2**64), str(2**64 + 1), str(-(2**63)), str(-(2**63) - 1)),
    *("9223372036854775807.0", "-9223372036854775808.0", "18446744073709551615.0"),
    *("18446744073709549568.0", "1e19", "-9.3e18", "1e22", "1e23", "9" * 40),
    *("1e-400", "-1e-400", "5e-324", "2.4703282292062327e-324", "1e308", "1e309"),
    *("0.1000000000000000055511151231257827021181583404541015625", "1" + "0" * 400),
    *("0." + "0" * 400 + "1", "123456789012345678.5", "9007199254740993.0"),
)
"""As JSON has them, about every bound and every limit of a machine's number."""

NO_NUMBERS = (
    *("NaN", "Infinity", "-Infinity", "-", "+1", ".5", "1.", "01", "-01", "00", "0x1"),
    *("1_0", "1e", "1e+", "0.e1", "- 1", "1e1.5", "nan", "True", "None", "undefined"),
)
STRANGE_TEXTS = (
    *(
        '""',
        '"web"',
        '"\\u0077eb"',
        '"\\/x"',
        '"a\\"b"',
        '"\\\\"',
        '"\\n"',
        '"\\u0000"',
    ),
    *('"\\ud800"', '"\\udc00\\ud800"', '"\\ud83d\\ude00"', '"\\ud83dx"', '"\\uD8"'),
    *('"\\x41"', '"\x00"', '"\x1f"', '"\t"', '"\n"', '"\x7f"', '"\x80"', '"\ufeff"'),
    *('"é"', '"\u2028"', '"\U0001f600"', '"\ufffe"', "'web'", '"web', '"we"b"', '" "'),
)
NESTED = ("[" * 50 + "]" * 50, '{"a":' * 50 + "1" + "}" * 50, "[" * 1500 + "]" * 1500)
EMPTY = ("null", "[]", "{}", "[null]")
SPACES = ("", "", "", "", " ", "\n", "\t", "\r\n", "  ")
STRANGE_SPACES = ("\x0b", "\x0c", "\x00", "\xa0", "\ufeff", "/**/", ",", "#\n")
FRAGMENTS = (
    *(b"", b'"', b",", b":", b"{", b"}", b"[", b"]", b"\\", b"\x00", b"\x7f", b"\xff"),
    *(b"0", b"-", b".", b"e", b"1e999", b"null", b"true", b"\xc3", b"\xed\xa0\x80"),
    *(b"\xef\xbb\xbf", b"\xc0\x80", b"\\u0041", b"\\ud800", b'"x":1,', b'"port":80,'),
)


def _as_json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _lengths(longest: int, character: str = "x") -> tuple[str, ...]:
    """Texts as long as may be, and one more and less."""
    return tuple(character * (longest + more) for more in (-1, 0, 1))


def _texts(*texts: str) -> st.SearchStrategy[str]:
    return st.sampled_from(texts).map(_as_json)


words = (
    st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E)).map(_as_json)
) | _texts("", "blue", "1.2.3", "/health", "x" * 128)
numbers = (
    st.sampled_from(NUMBERS)
    | st.integers(-(2**70), 2**70).map(str)
    | st.floats(allow_nan=False, allow_infinity=False).map(repr)
    | st.from_regex(r"\A-?(0|[1-9]\d{0,30})(\.\d{1,30})?([eE][+-]?\d{1,3})?\Z")
)
scalars = words | numbers | st.sampled_from(("true", "false"))
strange = (
    st.sampled_from((*NO_NUMBERS, *STRANGE_TEXTS, *NESTED, *EMPTY))
    | st.text().map(_as_json)
    | st.text().map(json.dumps)
)
anything = scalars | scalars | strange


def _object(pairs: Sequence[tuple[str, str]], space: str) -> str:
    """Return a JSON object of these pairs; a key may come twice."""
    members = [f"{space}{k}{space}:{space}{v}{space}" for k, v in pairs]
    return "{" + (",".join(members) or space) + "}"


def _objects(
    keys: st.SearchStrategy[str], values: st.SearchStrategy[str]
) -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(keys, values), max_size=4)
    return st.builds(_object, pairs, st.sampled_from(SPACES))


def _lists(items: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.lists(items, max_size=5).map(lambda texts: f"[{', '.join(texts)}]")


_tags = st.sampled_from(("blue", "red", "a b", "é", *_lengths(128))).map(_as_json)
_many = st.sampled_from((63, 64, 65))
_checks = _objects(
    _texts("kind", "path", "interval_seconds", "failures", "expected_status", "x"),
    st.sampled_from(("1", "5", "100", "0.5", "true", "null", "0", "1001", "1.0"))
    | _texts("http", "grpc", "/ready", "http://h:80/", "", "x" * 33, "x" * 1025),
)
RIGHT = {
    "name": _texts("web", "web", "a:b~c.d-e", "x" * 255),
    "host": _texts("h", "10.0.0.1", "::1", "[::1]", "a_b.c.", "123456", "h" * 63),
    "port": st.integers(1, 65_535).map(str) | st.just("80"),
    "service_id": _texts("web-1", "x" * 128) | st.just("null"),
    "ttl_seconds": st.sampled_from(
        ("0", "30", "1.5", "3e1", "-0.0", "2592000", "null")
    ),
    "health_endpoint": _texts("", "/", "/health") | st.just("null"),
    "metadata": _objects(words, words | numbers | st.sampled_from(("true", "false")))
    | st.just("null"),
    "tags": _lists(_texts("blue", "red", "a b", "x" * 128)) | st.just("null"),
    "zone": words | st.just("null"),
    "weight": st.integers(0, 65_535).map(str) | st.just("null"),
    "version": words | st.just("null"),
    "check": _checks | st.just("null"),
    "initial_status": _texts("healthy", "starting") | st.just("null"),
}
"""What each field may be; nearly always."""
WRONG = {
    "name": _texts("", ".a", "a/b", "a\n", "é", *_lengths(255)),
    "host": _texts("a b", "1.2.3", "256.1.1.1", "-a", "a..b", "[h]", "fe80::1%e", "1.")
    | st.sampled_from(_lengths(63, "h") + _lengths(253, "h")).map(_as_json)
    | st.text("0123456789.abf-_:%[]", max_size=12).map(_as_json),
    "port": numbers,
    "service_id": _texts("", "../x", *_lengths(128)),
    "ttl_seconds": numbers,
    "health_endpoint": _texts(
        "x", "//e", "/a b", "http://e/", "http://h:80", "/\x7f", "/é"
    )
    | st.sampled_from(_lengths(2047, "/")).map(lambda rest: _as_json("/x" + rest[1:])),
    "metadata": _objects(words | strange, anything)
    | st.builds(
        lambda n, value: "{" + ",".join(f'"k{i}":{value}' for i in range(n)) + "}",
        _many,
        numbers | _texts("x" * 40, "x" * 120, "x" * 124, "é" * 60),
    )
    | _objects(
        _texts(*_lengths(128), "é"), _texts(*_lengths(1_024), *_lengths(1_024, "é"))
    ),
    "tags": _lists(_tags | strange)
    | st.builds(
        lambda n, length: json.dumps([f"{i:0{length}}" for i in range(n)]),
        _many | st.integers(28, 34),
        st.sampled_from((2, 60, 61, 62, 120, 125, 128)),
    ),
    "zone": _texts(*_lengths(bounds.MAX_ZONE_LENGTH), "\x7f", "\xa0", "é"),
    "weight": numbers,
    "version": _texts(*_lengths(bounds.MAX_VERSION_LENGTH), "\u200b", "é"),
    "check": _objects(words, anything),
    "initial_status": _texts("unhealthy", "draining", "Healthy", ""),
}
"""What breaks a bound of its field, or just does not."""


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Return a body with at most a few things about it that are not right."""
    optional = st.sets(st.sampled_from(tuple(RIGHT)[3:]))
    names = [*tuple(RIGHT)[:3], *sorted(draw(optional))]
    pairs = [(f'"{name}"', draw(RIGHT[name])) for name in names]
    for _ in range(draw(st.sampled_from((0, 0, 1, 1, 2)))):
        name = draw(st.sampled_from(tuple(RIGHT)))
        key = draw(st.sampled_from((f'"{name}"',) * 4 + ('"unknown"', '"a\x00"')))
        pairs.append((key, draw(RIGHT[name] | WRONG[name] | WRONG[name] | anything)))
    if draw(st.booleans()):
        pairs = draw(st.permutations(pairs))
    body = _object(pairs, draw(st.sampled_from(SPACES)))
    if draw(st.integers(0, 9)) == 7:
        around = st.sampled_from(STRANGE_SPACES)
        body = draw(around) + body + draw(around)
    return body.encode("utf-8", "surrogatepass")


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    """Return a body with a few bytes too many, too few, or others."""
    data = draw(bodies())
    for _ in range(draw(st.integers(1, 2))):
        start = draw(st.integers(0, len(data)))
        end = start + draw(st.sampled_from((0, 0, 1, 2)))
        data = data[:start] + draw(st.sampled_from(FRAGMENTS)) + data[end:]
    return data
