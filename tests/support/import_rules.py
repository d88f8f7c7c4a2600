"""The import rules of the architecture, as functions of a path and its source.

Each rule takes a module and returns its violations as text, so that the rules
themselves can be tested with planted sources.
"""

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass

MAX_LINES = 300
OWN = ("registry", "cluster", "tests", "bench", "deploy")

PURE = (
    "registry/advice.py",
    "registry/model.py",
    "registry/catalog/",
    "registry/balancing/",
    "registry/health/networks.py",
    "registry/health/plan.py",
    "registry/health/thresholds.py",
    "registry/leases/clock.py",
    "registry/leases/stamps.py",
    "registry/leases/table.py",
    "registry/nearest.py",
    "registry/routing/breaker.py",
)
PURE_LIBRARIES = (
    "abc", "array", "bisect", "collections", "copy", "dataclasses", "enum",
    "functools", "heapq", "ipaddress", "itertools", "math", "msgspec", "operator", "re",
    "string", "struct", "sys.intern", "types", "typing", "zlib",
)  # fmt: skip

USE_CASES = (
    "registry/admission.py",
    "registry/discovery.py",
    "registry/drains.py",
    "registry/findings.py",
    "registry/health/",
    "registry/hosts.py",
    "registry/leases/",
    "registry/proposals.py",
    "registry/readiness.py",
    "registry/refusals.py",
    "registry/registrar.py",
    "registry/routing/",
    "registry/verdicts.py",
    "registry/watch.py",
    "registry/why.py",
)
INNER = ("registry.errors", "registry.ports")
"""What use cases may import of the registry, beside pure modules and each other."""
USE_CASE_LIBRARIES = ("msgspec", "orjson", "structlog")

ADAPTERS = ("registry/api/", "registry/health/probes/", "registry/sinks/")
OUTERMOST = (
    "registry.checking",
    "registry.cli",
    "registry.commands",
    "registry.consensus",
    "registry.node",
    "registry.replication",
)
DIALECTS = ("consul", "dns", "eureka", "explain", "native")
COMPOSERS = ("registry/api/__init__.py", "registry/api/app.py")

CLUSTER_USERS = (
    "registry/node.py",
    "registry/consensus.py",  # node.py's two halves: what it asks of the cluster,
    "registry/replication.py",  # and what it makes it of
    "registry/commands/keygen.py",  # only the cluster knows what a key is
)
OWNERS = {
    "aiodns": ("registry/health/probes/",),
    "click": ("registry/commands/",),
    "cryptography": ("cluster/links/",),
    "grpc": ("registry/health/probes/",),
    "hdbcli": ("registry/sinks/hana.py",),
    "prometheus_client": ("registry/metrics.py",),
    "pysyncobj": ("cluster/raft/",),
    "rich": ("registry/commands/",),
}


@dataclass(frozen=True, slots=True)
class Module:
    """One source file; ``path`` with slashes, from the top of the project."""

    path: str
    source: str

    @property
    def tree(self) -> ast.Module:
        """Its syntax tree."""
        return ast.parse(self.source, self.path)

    def within(self, places: Iterable[str]) -> bool:
        """Tell if it is one of the files or in one of the folders (``.../``)."""
        return any(
            self.path.startswith(p) if p.endswith("/") else self.path == p
            for p in places
        )


def imports(module: Module) -> list[str]:
    """Every name imported, wherever it stands; ``from a import b`` gives ``a.b``."""
    found: list[str] = []
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found += [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Call) and node.args:
            name = ast.unparse(node.func).rpartition(".")[2]
            first = node.args[0]
            if name in ("import_module", "__import__") and isinstance(
                first, ast.Constant
            ):
                found.append(str(first.value))
    return found


def under(name: str, packages: Iterable[str]) -> bool:
    """Tell if ``name`` is one of the packages, or inside one."""
    return any(name == p or name.startswith(f"{p}.") for p in packages)


def _as_package(place: str) -> str:
    return place.removesuffix("/").removesuffix(".py").replace("/", ".")


PURE_MODULES = tuple(map(_as_package, PURE))
USE_CASE_MODULES = tuple(map(_as_package, USE_CASES))


def _is_pure(module: Module) -> bool:
    return module.within(PURE)


def _is_use_case(module: Module) -> bool:
    return (
        module.within(USE_CASES)
        and not _is_pure(module)
        and not module.within(ADAPTERS)
    )


def pure_modules_stay_pure(module: Module) -> list[str]:
    """Rule 1: pure modules import pure modules and a short list, and touch nothing."""
    if not _is_pure(module):
        return []
    allowed = PURE_MODULES + PURE_LIBRARIES
    used = [name for name in imports(module) if name != "sys"]
    # Of sys, which holds half of the outside world, what is used counts.
    used += [
        ast.unparse(node)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "sys"
    ]
    wrong = [name for name in used if not under(name, allowed)]
    calls = [
        node.func.id
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
    ]
    wrong += [name for name in calls if name in ("open", "print", "input", "hash")]
    return [f"{module.path} is pure and must not use {name}" for name in wrong]


def use_cases_import_inwards(module: Module, stdlib: frozenset[str]) -> list[str]:
    """Rule 2: use cases import pure modules, ports, errors and the standard library."""
    if not _is_use_case(module):
        return []
    allowed = PURE_MODULES + USE_CASE_MODULES + INNER + USE_CASE_LIBRARIES
    adapters = tuple(map(_as_package, ADAPTERS))
    return [
        f"{module.path} is a use case and must not import {name}"
        for name in imports(module)
        if under(name, adapters)
        or not (under(name, allowed) or name.partition(".")[0] in stdlib)
    ]


def adapters_ignore_each_other(module: Module) -> list[str]:
    """Rule 3: adapters import inwards, never each other; nor a dialect another one."""
    wrong: list[str] = []
    own = next((place for place in ADAPTERS if module.within((place,))), None)
    if own is not None:
        others = [_as_package(p) for p in ADAPTERS if p != own]
        wrong += [n for n in imports(module) if under(n, (*others, *OUTERMOST))]
    if own == "registry/api/" and not module.within(COMPOSERS):
        mine = module.path.removeprefix(own).removesuffix(".py").partition("/")[0]
        dialects = [f"registry.api.{name}" for name in DIALECTS if name != mine]
        wrong += [n for n in imports(module) if under(n, dialects)]
    return [f"{module.path} is an adapter and must not import {n}" for n in wrong]


def cluster_knows_no_registry(module: Module) -> list[str]:
    """Rule 4: cluster replicates bytes, and knows nothing of services."""
    if not module.within(("cluster/",)):
        return []
    return [
        f"{module.path} must not import {name}"
        for name in imports(module)
        if under(name, ("registry",))
    ]


def only_the_composition_root_knows_both(module: Module) -> list[str]:
    """Rule 5: of the registry only node.py imports cluster."""
    if not module.within(("registry/",)) or module.within(CLUSTER_USERS):
        return []
    return [
        f"{module.path} must not import {name}; only {CLUSTER_USERS[0]} may"
        for name in imports(module)
        if under(name, ("cluster",))
    ]


def libraries_have_one_owner(module: Module) -> list[str]:
    """Rule 6: one owner per library; and the product never imports its tests."""
    if not module.within(("registry/", "cluster/")):
        return []
    wrong = [
        f"{module.path} must not import {name}; only {owners[0]} may"
        for library, owners in OWNERS.items()
        if not module.within(owners)
        for name in imports(module)
        if under(name, (library,))
    ]
    return wrong + [
        f"{module.path} is part of the product and must not import {name}"
        for name in imports(module)
        if under(name, ("tests", "bench", "deploy"))
    ]


def files_are_short_and_explained(module: Module) -> list[str]:
    """Every file: at most 300 lines, a docstring, no relative import."""
    wrong: list[str] = []
    lines = module.source.count("\n") + (not module.source.endswith("\n"))
    if lines > MAX_LINES:
        wrong.append(f"{module.path} has {lines} lines; split it ({MAX_LINES})")
    if not ast.get_docstring(module.tree):
        wrong.append(f"{module.path} has no docstring")
    wrong += [
        f"{module.path} line {node.lineno} imports relatively"
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ImportFrom) and node.level > 0
    ]
    return wrong


Rule = Callable[[Module], list[str]]
RULES: tuple[Rule, ...] = (
    pure_modules_stay_pure,
    adapters_ignore_each_other,
    cluster_knows_no_registry,
    only_the_composition_root_knows_both,
    libraries_have_one_owner,
    files_are_short_and_explained,
)
