"""The walls between the rooms stand, and the project names nothing outside itself."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitoo_pipeline_tests.docs.pages import ROOT

PACKAGE = ROOT / "sitoo_pipeline"

FOR_ASSETS = {"settings", "sinks", "sitoo", "tables", "transforms", "warehouse"}
MAY_IMPORT: dict[str, set[str]] = {
    "settings": set(),
    "tables": set(),
    "sitoo": set(),
    "logs": {"sitoo"},
    "sandbox": set(),
    "warehouse": {"tables"},
    "transforms": {"tables"},
    "sinks": {"tables"},
    "reporting": {"tables", "warehouse"},
    "assets": FOR_ASSETS | {"reporting"},
    "automation": {"assets", "logs", "settings"},
    "operations": FOR_ASSETS | {"logs", "assets", "automation", "definitions", "reporting", "sandbox"},
}
"""The other rooms that a room may import."""

WITHOUT_DAGSTER = ("settings", "tables", "sitoo", "logs", "warehouse", "transforms", "sinks", "reporting", "sandbox")
PURE = {"__future__", "collections", "dataclasses", "datetime", "decimal", "functools", "itertools", "polars", "typing"}
"""What a transform may import beside the tables: nothing that reads, writes, waits, guesses or tells the time."""
PURE |= {"zoneinfo", "contextlib", "csv", "json", "re"}


def modules(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


def imported(module: Path) -> Iterator[str]:
    """The dotted names that a module imports, wherever in it."""
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}: relative import"
            assert node.module
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms(module: Path) -> set[str]:
    """The rooms of the package that a module imports."""
    names = (name.split(".") for name in imported(module))
    return {parts[1] for parts in names if parts[0] == "sitoo_pipeline" and len(parts) > 1}


def test_every_room_has_its_walls() -> None:
    folders = {folder.name for folder in PACKAGE.iterdir() if (folder / "__init__.py").exists()}
    assert folders == MAY_IMPORT.keys()


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_no_room_above_it(room: str) -> None:
    for module in modules(PACKAGE / room):
        assert rooms(module) - {room} <= MAY_IMPORT[room], module


@pytest.mark.parametrize("room", WITHOUT_DAGSTER)
def test_no_dagster_here(room: str) -> None:
    for module in modules(PACKAGE / room):
        assert not [name for name in imported(module) if name.split(".")[0].startswith("dagster")], module


def test_transforms_import_nothing_that_reads_writes_or_tells_the_time() -> None:
    for module in modules(PACKAGE / "transforms"):
        assert {name.split(".")[0] for name in imported(module)} <= {*PURE, "sitoo_pipeline"}, module


def test_transforms_call_nothing_that_reads_writes_or_tells_the_time() -> None:
    forbidden = re.compile(r"now|today|utcnow|open|print|input|(read|scan|write|sink)_\w+|shuffle|sample")
    for module in modules(PACKAGE / "transforms"):
        for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
                assert not forbidden.fullmatch(called), f"{module}: {called}"


def test_the_sandbox_is_reached_by_url() -> None:
    everywhere = {module for module in modules(PACKAGE) if "sandbox" in rooms(module)}
    others = everywhere - set(modules(PACKAGE / "sandbox"))
    assert others == {PACKAGE / "operations" / "demo.py"}


def test_every_module_says_what_it_is() -> None:
    for module in modules(PACKAGE):
        assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))), module


def project_files() -> Iterator[Path]:
    """Every file that is part of the project, found without version control."""
    top = ["Makefile", "LICENSE", "pyproject.toml", "requirements.lock", "constraints.in", "workspace.yaml"]
    top += ["dagster.yaml", "README.md", ".env.example", ".gitignore", "sitoo_pipeline.example.toml", "data/README.md"]
    yield from (ROOT / name for name in top)
    for folder in ("sitoo_pipeline", "sitoo_pipeline_tests", "benchmarks", "docs", ".ci"):
        files = (path for path in (ROOT / folder).rglob("*") if path.is_file())
        yield from (path for path in files if path.suffix not in {".pyc", ".png"})


HERE = "|".join(("work", "tmp", "root", "home", "Users"))
NOT_OURS = {
    "a path of somebody's machine": re.compile(rf"(?<![\w.<>/}}-])/(?:{HERE})/"),
    "a package index": re.compile(
        r"(?i)https?://[^\s\"']*(?:py" + r"pi|python" + r"hosted|artifactory|nexus|/simple\b)"
    ),
    "an option that names a package index": re.compile(r"(?m)^\s*(?:-i|-f|--(?!no-)[a-z-]*(?:index-url|host|links))\s"),
}


@pytest.mark.parametrize("what", NOT_OURS)
def test_the_project_names_nothing_outside_itself(what: str) -> None:
    found = {
        str(path.relative_to(ROOT)): match[0]
        for path in project_files()
        if (match := NOT_OURS[what].search(path.read_text(encoding="utf-8")))
    }
    assert found == {}
