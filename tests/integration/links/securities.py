"""The three ways to protect links, ready for the replicas of a test."""

from collections.abc import Mapping
from pathlib import Path

from cluster.links.keys import SharedKey
from cluster.links.settings import NoSecurity, Security, SharedKeys
from tests.integration.links.certificates import Authority

ONE, TWO = SharedKey(b"1" * 32), SharedKey(b"2" * 32)
MODES = ("none", "shared key", "tls")


def securities(mode: str, folder: Path, ids: str = "abc") -> Mapping[str, Security]:
    """Return what each replica proves itself with."""
    if mode == "none":
        return dict.fromkeys(ids, NoSecurity())
    if mode == "shared key":
        return dict.fromkeys(ids, SharedKeys((ONE,)))
    authority = Authority(folder)
    return {one: authority.issue(one, dns=(one, f"{one}.example")) for one in ids}
