"""The architecture's rules hold for every file; each rule catches its violation."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import import_rules
from tests.support.import_rules import OWN, Module

TOP = Path(__file__).parent.parent
STDLIB = frozenset(sys.stdlib_module_names)


def use_cases_import_inwards(module: Module) -> list[str]:
    """Bind rule 2 to this interpreter's standard library."""
    return import_rules.use_cases_import_inwards(module, STDLIB)


RULES = (*import_rules.RULES, use_cases_import_inwards)


def project() -> list[Module]:
    """Read every Python file of the project."""
    files = [file for name in OWN for file in sorted((TOP / name).rglob("*.py"))]
    return [Module(f.relative_to(TOP).as_posix(), f.read_text()) for f in files]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_project_keeps_the_rule(rule: Callable[[Module], list[str]]) -> None:
    """A rule that is only written down is broken within a month."""
    violations = [line for module in project() for line in rule(module)]

    assert violations == []


def test_all_of_the_product_is_looked_at() -> None:
    """A moved folder must not leave the rules with nothing to judge."""
    paths = {module.path for module in project()}

    assert {"registry/model.py", "cluster/ports.py", "tests/conftest.py"} <= paths


PLANTED: dict[str, list[tuple[str, str]]] = {
    "pure_modules_stay_pure": [
        ("registry/model.py", "import time"),
        ("registry/catalog/machine.py", "import os.path"),
        ("registry/catalog/x.py", "from random import random"),
        ("registry/catalog/x.py", "import registry.ports"),
        ("registry/catalog/x.py", "from sys import argv"),
        ("registry/balancing/p2c.py", "def f():\n import asyncio"),
        ("registry/leases/table.py", "open('x')"),
        ("registry/catalog/x.py", "import sys\nsys.stdout"),
    ],
    "use_cases_import_inwards": [
        ("registry/registrar.py", "import aiohttp"),
        ("registry/discovery.py", "from registry import node"),
        ("registry/leases/keeper.py", "import registry.api.native"),
        ("registry/health/scheduler.py", "import registry.health.probes.http"),
        ("registry/watch.py", "import cluster.replica"),
    ],
    "adapters_ignore_each_other": [
        ("registry/api/native.py", "import registry.sinks.jsonl"),
        ("registry/sinks/jsonl.py", "from registry.api import server"),
        ("registry/health/probes/http.py", "import registry.api"),
        ("registry/api/admin.py", "from registry import node"),
        ("registry/api/consul.py", "import registry.api.native"),
        ("registry/api/dns/zone.py", "from registry.api import consul"),
        ("registry/api/problems.py", "from registry.api.native import x"),
    ],
    "cluster_knows_no_registry": [
        ("cluster/replica.py", "from registry import model"),
    ],
    "only_the_composition_root_knows_both": [
        ("registry/metrics.py", "import cluster.status"),
        ("registry/commands/serve.py", "import cluster"),
    ],
    "libraries_have_one_owner": [
        ("cluster/replica.py", "import pysyncobj"),
        ("cluster/batcher.py", "importlib.import_module('pysyncobj')"),
        ("registry/sinks/odata.py", "from hdbcli import dbapi"),
        ("registry/node.py", "import prometheus_client"),
        ("registry/node.py", "from tests.support import fake_clock"),
    ],
    "files_are_short_and_explained": [
        ("bench/load.py", "x = 1\n" * 301),
        ("deploy/x.py", '"""Words."""\nfrom . import y'),
        ("tests/x.py", "import os"),
    ],
}


@pytest.mark.parametrize(
    ("name", "path", "source"),
    [(name, *planted) for name, cases in PLANTED.items() for planted in cases],
)
def test_a_planted_violation_is_found(name: str, path: str, source: str) -> None:
    """A rule that cannot fail guards nothing."""
    rule = next(rule for rule in RULES if rule.__name__ == name)

    assert rule(Module(path, source))


def test_every_rule_has_a_planted_violation() -> None:
    """A new rule comes with the proof that it works."""
    assert set(PLANTED) == {rule.__name__ for rule in RULES}


ALLOWED = [
    ("registry/catalog/x.py", "import msgspec\nfrom sys import intern"),
    ("registry/catalog/x.py", "import sys\nsys.intern('x')"),
    ("registry/catalog/x.py", "from registry.model import Status"),
    ("registry/registrar.py", "import asyncio\nfrom registry.ports import Consensus"),
    ("registry/leases/keeper.py", "from registry.leases.table import LeaseTable"),
    ("registry/health/probes/http.py", "import aiohttp"),
    ("registry/api/app.py", "from registry.api import consul, native"),
    ("registry/api/dns/zone.py", "from registry.api.dns import wire"),
    ("registry/node.py", "import cluster.replica\nimport registry.metrics"),
    ("registry/commands/keygen.py", "from cluster.links.keys import generate_key"),
    ("cluster/raft/node.py", "import pysyncobj"),
    ("tests/x.py", "import pysyncobj, cluster, registry"),
]


@pytest.mark.parametrize(("path", "source"), ALLOWED)
def test_what_the_architecture_allows_passes(path: str, source: str) -> None:
    """A rule that catches too much gets switched off."""
    module = Module(path, f'"""Words."""\n{source}\n')

    assert [line for rule in RULES for line in rule(module)] == []
