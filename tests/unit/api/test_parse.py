"""Request bodies: every bound is named, every type is strict."""

from contextlib import suppress

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.api import parse
from registry.catalog import bounds
from registry.errors import InvalidField, InvalidJson, UnknownServiceId
from registry.model import Status
from registry.registrar import RegistrationRequest

MINIMAL = {"name": "web", "host": "10.0.0.1", "port": 80}

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)
FIELDS = list(RegistrationRequest.__struct_fields__)


def _parse(**changes: object) -> object:
    return parse.registration(orjson.dumps({**MINIMAL, **changes}))


def test_three_fields_are_enough() -> None:
    """The seed's Rust client sends little more."""
    request = parse.registration(orjson.dumps(MINIMAL))

    assert (request.name, request.host, request.port) == ("web", "10.0.0.1", 80)
    assert request.service_id is None
    assert request.ttl_seconds is None


def test_a_ttl_of_minus_nothing_is_nothing() -> None:
    """-0.0 is 0, permanent, and is shown as that."""
    request = parse.registration(
        b'{"name": "web", "host": "h", "port": 80, "ttl_seconds": -0.0}'
    )

    assert str(request.ttl_seconds) == "0.0"


@pytest.mark.parametrize(
    "field", ["health_endpoint", "metadata", "service_id", "tags", "ttl_seconds"]
)
def test_null_means_absent(field: str) -> None:
    """Serialisers of optional fields write null."""
    assert _parse(**{field: None}) == _parse()


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("name", None, "is missing"),
        ("name", "", "1 to 255 characters"),
        ("name", "a/b", "match"),
        ("name", "web\n", "match"),
        ("name", 7, "must be a string, not an integer"),
        ("host", None, "is missing"),
        ("host", 7, "must be a string, not an integer"),
        ("host", "a b", "an IPv4 address"),
        ("host", "h@evil", "an IPv4 address"),
        ("host", "..%%[[]]", "labels of 1 to 63"),
        ("port", None, "is missing"),
        ("port", "8500", "from 1 to 65535, not a string"),
        ("port", True, "not a boolean"),
        ("port", 80.0, "not a fraction"),
        ("port", 0, "from 1 to 65535"),
        ("port", 65_536, "from 1 to 65535"),
        ("service_id", "../x", "1 to 128 characters"),
        ("ttl_seconds", 0.5, "0 (permanent) or from 1 to 2592000"),
        ("ttl_seconds", -1, "0 (permanent)"),
        ("ttl_seconds", True, "must be a number, not a boolean"),
        ("health_endpoint", "health", "begin with one /"),
        ("health_endpoint", "/a b", "hold no space"),
        ("health_endpoint", "//evil/", "begin with one /"),
        ("health_endpoint", "http://evil:80/", "registered host and port"),
        ("health_endpoint", "/" * 2049, "at most 2048"),
        ("tags", "blue", "list of strings, not a string"),
        ("tags", ["a"] * 65, "at most 64"),
        ("tags", [1], "must be a string, not an integer"),
        ("tags", [""], "empty string"),
        ("tags", ["x" * 129], "at most 128"),
        ("tags", [f"{i:0128}" for i in range(32)], "at most 4096 bytes together"),
        ("zone", "z" * 129, "at most 128"),
        ("version", "1\x00", "printable"),
        ("weight", 65_536, "from 0 to 65535"),
        ("weight", False, "not a boolean"),
        ("metadata", [], "an object, not a list"),
        ("metadata", {f"k{i}": 1 for i in range(65)}, "at most 64 keys"),
        ("metadata", {"": 1}, "keys must have 1 to 128"),
        ("metadata", {f"k{i}": "x" * 1000 for i in range(9)}, "at most 8192 bytes"),
    ],
)
def test_a_bound_is_named_with_its_field(field: str, value: object, says: str) -> None:
    """A client must not have to guess what to mend."""
    with pytest.raises(InvalidField) as caught:
        _parse(**{field: value})

    assert caught.value.field == field
    assert caught.value.detail.startswith(f"{field} ")
    assert says in caught.value.detail


@pytest.mark.parametrize("value", [None, [], {"deep": 1}, 1e30, -1e30, "x" * 1025])
def test_a_metadata_value_is_named_by_its_key(value: object) -> None:
    """Strings, numbers and booleans only; what the log cannot carry is refused."""
    with pytest.raises(InvalidField) as caught:
        _parse(metadata={"k": value})

    assert caught.value.field == "metadata.k"


@pytest.mark.parametrize("number", [2**64, 2**64 + 1, 10**30, -(2**63) - 1, -(2**64)])
def test_whole_numbers_beyond_64_bits_are_no_metadata(number: int) -> None:
    """The parser rounds them to a fraction, which is another value than was sent."""
    body = b'{"name": "web", "host": "h", "port": 1, "metadata": {"k": %d}}' % number

    with pytest.raises(
        InvalidField, match="-9223372036854775808 to 184467440737095516"
    ):
        parse.registration(body)


def test_a_number_beyond_64_bits_is_no_port() -> None:
    """The parser makes a float of it."""
    body = b'{"name": "web", "host": "h", "port": 1' + b"0" * 30 + b"}"

    with pytest.raises(InvalidField, match="beyond 64 bits"):
        parse.registration(body)


def test_everything_at_its_bound_is_taken() -> None:
    """Off by one on either side is a bug that only strangers would find."""
    request = parse.registration(
        orjson.dumps(
            {
                "name": "n" * bounds.MAX_NAME_LENGTH,
                "host": ".".join(["h" * 63] * 3 + ["h" * 61]),
                "port": bounds.MAX_PORT,
                "service_id": "i" * bounds.MAX_SERVICE_ID_LENGTH,
                "ttl_seconds": 2_592_000,
                "tags": [f"{i:060}" for i in range(bounds.MAX_TAGS)],
                "metadata": {
                    "a": True,
                    "b": 2**64 - 1,
                    "c": -1.5,
                    "d": "é" * 1024,
                    "e": -(2**63),
                },
                "weight": 0,
                "health_endpoint": "/" + "h" * 2047,
            }
        )
    )

    assert request.metadata["a"] is True
    assert len(request.tags) == bounds.MAX_TAGS


def test_tags_are_kept_once() -> None:
    """A tag twice means no more than once."""
    assert parse.registration(
        orjson.dumps({**MINIMAL, "tags": ["b", "a", "b"]})
    ).tags == ("b", "a")


@given(st.sampled_from(FIELDS), json_values)
def test_any_json_in_any_field_is_taken_or_refused_by_name(
    field: str, value: object
) -> None:
    """Never an exception of another kind: that would be a 500 for bad input."""
    try:
        body = orjson.dumps({**MINIMAL, field: value})
    except TypeError:  # Beyond 64 bits, or a lone surrogate: no JSON of orjson's.
        return
    try:
        parse.registration(body)
    except InvalidField as error:
        named = error.field
    else:
        named = field
    assert named.startswith(field)


@given(st.binary(max_size=200))
def test_any_bytes_are_taken_or_refused_as_json(body: bytes) -> None:
    """Garbage on the port is an everyday thing."""
    with suppress(InvalidJson, InvalidField):
        parse.registration(body)


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b'{"status": null}'])
def test_a_heartbeat_need_not_report_anything(body: bytes) -> None:
    """The seed's client sends no body, others an empty one."""
    assert parse.status_report(body) is None


def test_a_report_has_a_status_and_a_note() -> None:
    """The note becomes the cause that everybody sees."""
    report = parse.status_report(b'{"status": "unhealthy", "note": "full"}')

    assert report is not None
    assert (report.status, report.note) == (Status.UNHEALTHY, "full")


@pytest.mark.parametrize("status", ["draining", "starting", "", 1, ["healthy"], {}])
def test_a_service_may_report_two_statuses_only(status: object) -> None:
    """The others are not its to choose."""
    with pytest.raises(InvalidField, match='"healthy" or "unhealthy"'):
        parse.status_report(orjson.dumps({"status": status}))


def test_an_id_that_cannot_exist_is_unknown() -> None:
    """For the client it is the same case: register again."""
    with pytest.raises(UnknownServiceId):
        parse.service_id("a/b")
