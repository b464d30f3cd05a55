"""Commands, links, names and paths on the pages for people are those that exist."""

from __future__ import annotations

import re
import shlex
import sys
import tomllib
from itertools import pairwise
from pathlib import Path

import dagster as dg
import pytest
from typer.testing import CliRunner

from sitoo_pipeline.cli import app
from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline_tests.docs.pages import PAGES, README, ROOT, anchors, blocks, links, read, spans
from sitoo_pipeline_tests.pipeline.project import Project

OURS = re.compile(r"(?:\.venv/bin/)?sitoo-pipeline (.+)")


def commands(page: Path) -> list[str]:
    """Every line of the page's console blocks."""
    return [line for block in blocks(read(page), "console") for line in block.splitlines() if line.strip()]


def ours(page: Path) -> list[str]:
    """Verb and arguments of every command of ours, in blocks and in the text."""
    found = map(OURS.fullmatch, [*commands(page), *spans(read(page))])
    return [match[1] for match in found if match]


@pytest.mark.parametrize("command", sorted({command for page in PAGES for command in ours(page)}))
def test_verb_and_options_exist(command: str) -> None:
    verb, *arguments = shlex.split(command)
    helped = CliRunner().invoke(app, [verb, "--help"])
    assert helped.exit_code == 0, f"no verb {verb}"
    options = [argument.partition("=")[0] for argument in arguments if argument.startswith("--")]
    assert set(options) <= set(re.findall(r"--[a-z-]+", helped.output))


def test_the_readme_shows_every_verb() -> None:
    verbs = re.findall(r"^  ([a-z]+) ", CliRunner().invoke(app, ["--help"]).output, flags=re.MULTILINE)
    shown = {command.split()[0] for command in ours(README)}
    assert set(verbs) == shown


@pytest.mark.parametrize("line", commands(README))
def test_every_line_of_a_console_block_is_known(line: str) -> None:
    """What starts with pip or Python is checked for the files that it names."""
    words = shlex.split(line)
    match [words[0].removeprefix(".venv/bin/"), *words[1:]]:
        case ["sitoo-pipeline", *_]:
            assert OURS.fullmatch(line)
        case ["make", target]:
            assert re.search(rf"^{target}:", read(ROOT / "Makefile"), flags=re.MULTILINE)
        case ["pip", "install", *arguments]:
            files = [after for before, after in pairwise(arguments) if before in ("-r", "-e")]
            assert files
            assert all((ROOT / file).exists() for file in files)
        case ["python3", "-m", "venv", ".venv"] | ["python", "-c", _]:
            pass
        case _:
            pytest.fail(f"unknown command: {line}")


def test_the_extra_that_the_readme_installs_exists() -> None:
    [extra] = re.findall(r"-e '\.\[(\w+)\]'", read(README))
    assert extra in tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["optional-dependencies"]


def test_the_plain_commands_install_what_make_installs() -> None:
    made = re.findall(r"-m pip install (.+)", read(ROOT / "Makefile"))
    plain = [line.partition("pip install ")[2] for line in commands(README) if "pip install" in line]
    assert plain
    for arguments in plain:
        assert any(line.replace("--quiet --disable-pip-version-check ", "") == arguments for line in made)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_within_the_project_lead_somewhere(page: Path) -> None:
    for link in links(read(page)):
        if "://" not in link:
            path, _, anchor = link.partition("#")
            target = (page.parent / path).resolve() if path else page
            assert target.exists(), link
            assert not anchor or anchor in anchors(read(target)), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_modules_that_are_named_exist(page: Path) -> None:
    for name in spans(read(page)):
        if re.fullmatch(r"[\w/]+\.py", name):
            assert (ROOT / name).exists() or list((ROOT / "sitoo_pipeline").rglob(name)), name


def test_every_page_is_reached_from_the_readme() -> None:
    reached = {(README.parent / link).resolve() for link in links(read(README)) if "://" not in link}
    assert {page for page in PAGES if page.parent.name == "docs"} <= reached


def test_the_groups_and_schedules_are_those_that_the_ui_shows(demo: Project) -> None:
    defs = build_defs(demo.settings)
    graph = defs.resolve_asset_graph()
    groups = {graph.get(key).group_name for key in graph.get_all_asset_keys()}
    assert set(re.findall(r"^ *\| `(demo_\w+)` \|", read(README), flags=re.MULTILINE)) == groups
    rows = re.findall(r"^\| `<account>_(\w+)` \| ([^|]+) \|", read(README), flags=re.MULTILINE)
    schedules = {one.name: one for one in defs.schedules or [] if isinstance(one, dg.ScheduleDefinition)}
    assert {f"demo_{name}" for name, _ in rows} == schedules.keys()
    times = {"a quarter past each hour": "15 * * * *", "Sundays at 04:00": "0 4 * * 0"}
    [sensor] = re.findall(r"^\| `<account>_(\w+)` \(sensor\) \|", read(README), flags=re.MULTILINE)
    assert [one.name for one in defs.sensors or []] == [f"demo_{sensor}"]
    for name, said in rows:
        at = re.fullmatch(r"0(\d):([03])0(?: \(`\w+`\))?", said)
        assert schedules[f"demo_{name}"].cron_schedule == (f"{int(at[2] + '0')} {at[1]} * * *" if at else times[said])


@pytest.mark.parametrize("page", [README, ROOT / "data" / "README.md"], ids=["README.md", "data/README.md"])
def test_everything_that_is_kept_is_where_it_is_said_to_be(page: Path, demo: Project) -> None:
    rows = re.findall(r"^\| (`(?:<account>|dagster_home)/[^|]*) \|", read(page), flags=re.MULTILINE)
    said = [path.replace("<account>", "demo") for row in rows for path in re.findall(r"`([^`]+)`", row)]
    assert len(said) >= 6
    for path in said:
        assert (demo.settings.data_dir / path).exists(), path
    kept = {path.name for path in demo.account.folder.iterdir()} - {"deliveries.db-wal", "deliveries.db-shm"}
    assert kept == {path.split("/")[1] for path in said if path.startswith("demo/")}


def test_python_is_as_new_as_the_readme_asks() -> None:
    [minor] = re.findall(r"Python 3\.(\d+) or newer", read(README))
    assert tomllib.loads(read(ROOT / "pyproject.toml"))["project"]["requires-python"] == f">=3.{minor}"
    assert sys.version_info >= (3, int(minor))
