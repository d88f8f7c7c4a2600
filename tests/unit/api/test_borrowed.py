"""The fast path rests on private names of aiohttp: all are told of, and there."""

import ast
import inspect

from aiohttp import web

from registry.api import borrowed, fastpath
from registry.api.fastpath import FastProtocol


def test_this_aiohttp_has_them_all() -> None:
    """Else the server would run without its fast path, slowly, and only say so."""
    assert borrowed.missing_names() == []


def test_every_private_name_in_use_is_checked() -> None:
    """One that was forgotten would fail with the first request instead."""
    tree = ast.parse(inspect.getsource(fastpath))
    used = {
        node.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }
    inherited = {
        name
        for owner in web.RequestHandler.__mro__
        for name in getattr(owner, "__slots__", ())
        if name.startswith("_")
    }
    own = set(FastProtocol.__slots__)

    assert used & inherited - own - {"_loop"} <= set(borrowed.NEEDED)
    assert set(borrowed.NEEDED) <= used | {"_loop"}
