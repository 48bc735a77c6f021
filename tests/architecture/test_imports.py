"""The import contracts of pyproject.toml, and what import-linter cannot say about names."""

from __future__ import annotations

import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import pytest
from importlinter import cli

ROOT = Path(__file__).parents[2]
DOORS = {"cli", "demo", "deployment", "app", "worker", "api", "web", "door", "migrate"}
WITHIN_A_CAPABILITY = ("models", "rules", "schemas", "queries", "service")  # each may import those before it
PART_OF = {"httpcore": "httpx", "markupsafe": "jinja2", "starlette": "fastapi"}  # used as the face of the other
UNWANTED = {"utils", "helpers", "common", "core", "base", "manager", "misc", "constants"}

# modules of geo and alerts that may reach the database or the network; every other one is listed as pure
IMPURE = {
    "alerts",
    "alerts.fetch",
    "alerts.health",
    "alerts.models",
    "alerts.poll",
    "alerts.store",
    "geo",
    "geo.columns",
    "geo.database",
    "geo.functions",
    "geo.predicates",
    "geo.tiles",
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph("micic", "alerts", "geo", cache_dir=None)


def test_the_contracts_are_kept(capsys: pytest.CaptureFixture[str]) -> None:
    failed = cli.lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    assert not failed, capsys.readouterr().out


def test_every_module_of_geo_and_alerts_is_known_as_pure_or_not(graph: grimp.ImportGraph) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    pure = next(contract["source_modules"] for contract in contracts if contract["id"] == "pure")
    unknown = {
        module
        for module in graph.modules
        if module.split(".")[0] in {"geo", "alerts"}
        and module not in IMPURE
        and not any(module == name or module.startswith(f"{name}.") for name in pure)
    }
    assert not unknown, "list them as pure in pyproject.toml, or as impure here"


def test_inside_a_capability_models_know_no_service(graph: grimp.ImportGraph) -> None:
    upwards = []
    for module in graph.modules:
        capability, _, name = module.rpartition(".")
        if name not in WITHIN_A_CAPABILITY or not capability.startswith("micic."):
            continue
        above = WITHIN_A_CAPABILITY[WITHIN_A_CAPABILITY.index(name) + 1 :]
        imported = graph.find_modules_directly_imported_by(module)
        upwards += [f"{module} -> {capability}.{part}" for part in above if f"{capability}.{part}" in imported]
    assert not upwards


def test_only_the_doors_read_settings(graph: grimp.ImportGraph) -> None:
    importers = graph.find_modules_that_directly_import("micic.settings")
    assert {module.split(".")[1] for module in importers} <= DOORS


def test_no_module_is_named_for_nothing(graph: grimp.ImportGraph) -> None:
    assert not {module for module in graph.modules if module.rpartition(".")[2] in UNWANTED}


def test_every_package_imported_is_declared() -> None:
    """What happens to be installed here is not there on a new machine."""
    graph = grimp.build_graph("micic", "alerts", "geo", include_external_packages=True, cache_dir=None)
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {distribution(re.split(r"[\[<>=]", line)[0]) for line in project["dependencies"]}
    imported = {
        module.split(".")[0] for module in graph.modules if module.split(".")[0] not in {"micic", "alerts", "geo"}
    }
    found = packages_distributions()
    undeclared = {
        name
        for name in imported - sys.stdlib_module_names
        if declared.isdisjoint(distribution(d) for d in found.get(PART_OF.get(name, name), [name]))
    }
    assert not undeclared


def distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
