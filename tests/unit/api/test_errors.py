"""The error tree: each leaf is complete, and its code is its own."""

import re
from collections.abc import Iterator

import orjson
from aiohttp import web

from registry import errors
from registry.api.problems import from_http, problem_response
from registry.errors import InvalidField, RegistryError


def _leaves(kind: type[RegistryError]) -> Iterator[type[RegistryError]]:
    children = kind.__subclasses__()
    if not children:
        yield kind
    for child in children:
        yield from _leaves(child)


def test_every_leaf_has_a_code_of_its_own() -> None:
    """Programs branch on the code, so none may mean two things."""
    codes = [leaf.code for leaf in _leaves(RegistryError)]

    assert len(codes) == len(set(codes))


def test_the_tree_drawn_is_the_tree() -> None:
    """The docstring is what people read first."""
    drawn = errors.__doc__ or ""

    for leaf in _leaves(RegistryError):
        assert re.search(rf"\+- {leaf.__name__}\b", drawn), leaf.__name__


def test_retry_after_is_told_only_where_a_retry_is_safe() -> None:
    """A client library retries on it without thinking."""
    for leaf in _leaves(RegistryError):
        assert leaf.retry_safe or leaf.retry_after_s is None


def test_a_problem_document_has_the_members_of_rfc_9457() -> None:
    """One shape for whatever goes wrong."""
    response = problem_response(InvalidField("port is missing", field="port"))

    assert response.content_type == "application/problem+json"
    assert isinstance(response.body, bytes)
    assert orjson.loads(response.body) == {
        "type": "urn:service-registry:problem:invalid_field",
        "title": "A field is not valid",
        "status": 400,
        "detail": "port is missing",
        "code": "invalid_field",
        "retry_safe": False,
        "field": "port",
    }


def test_what_aiohttp_refuses_by_itself_keeps_its_status() -> None:
    """417 for an odd Expect header, for example."""
    error = from_http(web.HTTPExpectationFailed(), "/register")

    assert (error.status, error.code) == (417, "bad_request")
