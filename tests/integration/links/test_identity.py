"""Who may be whom: certificates bound to node ids, and keys that are rotated."""

import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.errors import ConfigError
from cluster.links.settings import Security, SharedKeys, Tls
from tests.integration.links.certificates import Authority
from tests.integration.links.conftest import Run
from tests.integration.links.replicas import (
    LIMITS,
    NOWHERE,
    Replica,
    meshed,
    replicas,
    until,
)
from tests.integration.links.securities import ONE, TWO


class Borrower(Replica):
    """A replica that holds another node's certificate.

    It takes the other's id to get past its own check at start, then says its own.
    """

    def __init__(self, own: str, peers: dict[str, tuple[str, int]], tls: Tls) -> None:
        super().__init__("c", peers, tls, LIMITS)
        config = replace(self.links._config, node_id=own)
        self.links._config = config
        self.node_id = own


def test_a_certificate_of_another_node_is_refused(run: Run, tmp_path: Path) -> None:
    """C's key lets nobody be b: neither when it dials nor when it is dialled."""

    async def scenario() -> None:
        authority = Authority(tmp_path)
        a = Replica(
            "a", peers := {"b": NOWHERE}, authority.issue("a", dns=("a",)), LIMITS
        )
        await a.links.start(a)
        false = {"a": ("127.0.0.1", a.links.port)}
        b = Borrower("b", false, authority.issue("c", dns=("c",)))
        await b.links.start(b)
        peers["b"] = ("127.0.0.1", b.links.port)
        said = "wrong_certificate: the certificate is for c, not for 'b'"
        await until(lambda: a.rejected.count(said) >= 4)
        await until(lambda: any("wrong_certificate" in text for text in b.rejected))
        assert not a.connected
        assert not b.connected
        await a.links.close()
        await b.links.close()

    run(scenario())


def test_a_certificate_of_another_authority_is_refused(
    run: Run, tmp_path: Path
) -> None:
    """Its names do not matter."""

    async def scenario() -> None:
        ours, theirs = Authority(tmp_path, "ours"), Authority(tmp_path, "theirs")
        mixed: dict[str, Security] = {
            "a": ours.issue("a", dns=("a",)),
            "b": theirs.issue("b", dns=("b",)),
        }
        async with replicas("ab", mixed) as (a, b):
            await until(lambda: a.refused("tls_failed") > 0)
            await until(lambda: b.refused("tls_failed") > 0)
            assert not a.connected
            assert not b.connected

    run(scenario())


def test_the_common_name_counts_without_alternative_names(
    run: Run, tmp_path: Path
) -> None:
    """Old tools make such certificates."""

    async def scenario() -> None:
        authority = Authority(tmp_path)
        named = {one: authority.issue(one, common_name=one) for one in "ab"}
        async with replicas("ab", named) as made:
            await meshed(made)

    run(scenario())


def test_keys_are_rotated_without_a_gap(run: Run) -> None:
    """Each stage of the procedure next to the stage before it."""

    async def scenario() -> None:
        stages = [(ONE,), (ONE, TWO), (TWO, ONE), (TWO,)]
        for before, after in itertools.pairwise(stages):
            mixed = {"a": SharedKeys(before), "b": SharedKeys(after)}
            async with replicas("ab", mixed) as made:
                await meshed(made)

    run(scenario())


def test_mistakes_in_tls_files_are_named(tmp_path: Path) -> None:
    """At start, by file, before anything is bound."""
    authority = Authority(tmp_path)
    good, other = authority.issue("a", dns=("a",)), authority.issue("b", dns=("b",))
    absent, junk = tmp_path / "absent", tmp_path / "junk"
    junk.write_text("junk")
    encrypted = authority.encrypt(good.key_file)
    elsewhere = authority.issue("e", dns=("e",), common_name="a")

    for tls, said in (
        (replace(good, cert_file=absent), f"{absent} cannot be read: No such file"),
        (replace(good, key_file=absent), f"{absent} cannot be read: No such file"),
        (replace(good, ca_file=absent), f"{absent} cannot be read: No such file"),
        (replace(good, cert_file=tmp_path), "cannot be read: Is a directory"),
        (replace(good, cert_file=junk), f"{junk} does not begin with a PEM cert"),
        (replace(good, ca_file=junk), f"CA file {junk} does not hold PEM"),
        (replace(good, key_file=junk), f"key file {junk} does not hold the PEM key"),
        (replace(good, key_file=other.key_file), "KEY_VALUES_MISMATCH"),
        (replace(good, key_file=encrypted), "give one without a passphrase"),
        (elsewhere, "is for e, not for node 'a'"),
        (other, f"certificate in {other.cert_file} is for b, not for node 'a'"),
    ):
        with pytest.raises(ConfigError) as caught:
            Replica("a", {}, tls, LIMITS)
        assert said in str(caught.value)
