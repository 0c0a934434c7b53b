"""Imports run downhill, and modules are named for what they hold."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("router_model", "training", "service")
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for package in PACKAGES
    for path in sorted((ROOT / package).rglob("*.py"))
}
FORBIDDEN = {
    "router_model": {"training", "service", "sklearn", "scipy", "fastapi", "starlette", "pydantic", "sqlalchemy"},
    "training": {"service", "fastapi", "starlette", "pydantic", "sqlalchemy"},
}
DRAWERS = {"utils", "util", "helpers", "helper", "common", "core", "base", "misc", "manager", "tools"}


def tree(name: str) -> ast.Module:
    return ast.parse(MODULES[name].read_text("utf-8"))


def imports(node: ast.AST) -> Iterator[str]:
    """Every dotted name that is imported anywhere below the node."""
    for child in ast.walk(node):
        if isinstance(child, ast.Import):
            yield from (alias.name for alias in child.names)
        elif isinstance(child, ast.ImportFrom):
            assert child.level == 0, f"relative import, line {child.lineno}"
            yield child.module or ""
            yield from (f"{child.module}.{alias.name}" for alias in child.names)


def own(name: str) -> set[str]:
    return {found for found in imports(tree(name)) if found in MODULES and found != name}


def test_all_three_floors_are_looked_at() -> None:
    assert {"router_model.scorer", "training.trainer", "service.api"} <= MODULES.keys()


@pytest.mark.parametrize("floor", FORBIDDEN)
def test_a_floor_knows_nothing_of_the_floors_above_it(floor: str) -> None:
    seen = {(name, found.partition(".")[0]) for name in MODULES for found in imports(tree(name))}
    uphill = {(name, top) for name, top in seen if name.partition(".")[0] == floor and top in FORBIDDEN[floor]}
    assert uphill == set()


@pytest.mark.parametrize("name", MODULES)
def test_nothing_is_imported_inside_a_function(name: str) -> None:
    functions = [n for n in ast.walk(tree(name)) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)]
    assert [found for function in functions for found in imports(function)] == []


def test_no_two_modules_import_each_other_in_a_circle() -> None:
    packages = {name for name, path in MODULES.items() if path.name == "__init__.py"}
    graph = {name: own(name) - ({name.rpartition(".")[0]} & packages) for name in MODULES}
    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_what_serves_loads_nothing_that_only_training_needs() -> None:
    loaded = "import sys, service.application; print(*sys.modules, sep='\\n')"
    modules = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True).stdout.split()
    assert "fastapi" in modules
    assert {"sklearn", "scipy", "matplotlib", "joblib"} & set(modules) == set()


@pytest.mark.parametrize("name", MODULES)
def test_no_module_is_a_drawer(name: str) -> None:
    assert not DRAWERS & set(name.replace("_", ".").split("."))
