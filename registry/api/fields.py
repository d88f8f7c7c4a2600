"""The fields of a JSON body, strictly: no boolean is an integer, null means absent."""

import re

import orjson

from registry.catalog import bounds
from registry.errors import InvalidField, InvalidJson

Fields = dict[str, object]

NAME = re.compile(bounds.NAME_PATTERN)
SERVICE_ID = re.compile(bounds.SERVICE_ID_PATTERN)


def json_object(body: bytes) -> Fields:
    """Parse a JSON object. Raises InvalidJson."""
    try:
        document: object = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise InvalidJson(str(error)) from error
    if not isinstance(document, dict):
        raise InvalidJson(f"the body must be a JSON object, not {kind_of(document)}")
    return document


def invalid(field: str, rule: str) -> InvalidField:
    """Return the refusal of one field, by its rule."""
    return InvalidField(f"{field} {rule}", field=field)


def pattern_rule(pattern: re.Pattern[str], max_length: int) -> str:
    """Return the rule of a text that must match."""
    return f"must have 1 to {max_length} characters and match {pattern.pattern}"


def required_text(fields: Fields, field: str) -> str:
    """Return a text that must be there."""
    value = fields.get(field)
    if value is None:
        raise invalid(field, "is missing")
    if not isinstance(value, str):
        raise invalid(field, f"must be a string, not {kind_of(value)}")
    return value


def text(fields: Fields, field: str, max_length: int) -> str:
    """Return a printable text; empty if absent."""
    value = fields.get(field)
    if value is None:
        return ""
    return printable(value, field, max_length)


def printable(value: object, field: str, max_length: int) -> str:
    """Check one printable text."""
    if not isinstance(value, str):
        raise invalid(field, f"must be a string, not {kind_of(value)}")
    if len(value) > max_length:
        raise invalid(field, f"may have at most {max_length} characters")
    if not value.isprintable():
        raise invalid(field, "may hold printable characters only")
    return value


def integer(fields: Fields, field: str, low: int, high: int) -> int | None:
    """Return a whole number within its bounds; None if absent."""
    value = fields.get(field)
    if value is None:
        return None
    if type(value) is not int:
        rule = f"must be an integer from {low} to {high}, not {kind_of(value)}"
        raise invalid(field, rule)
    if not low <= value <= high:
        raise invalid(field, f"must be from {low} to {high}")
    return value


def number(fields: Fields, field: str, low: float, high: float) -> float | None:
    """Return a number of any kind within its bounds; None if absent."""
    value = fields.get(field)
    if value is None:
        return None
    # isinstance would take a boolean for an integer.
    if type(value) is not int and type(value) is not float:
        raise invalid(field, f"must be a number, not {kind_of(value)}")
    if not low <= value <= high:
        raise invalid(field, f"must be from {low:g} to {high:.0f}")
    return float(value)


_KINDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a fraction or beyond 64 bits",
    type(None): "null",
}


def kind_of(value: object) -> str:
    """Say what kind of JSON value this is."""
    return _KINDS[type(value)]
