"""``--help``: every verb has one, and it costs nothing."""

from __future__ import annotations

import subprocess
import sys

import pytest

from sitoo_pipeline_tests.cli.project import Project

VERBS = ("demo", "run", "backfill", "deliver", "status", "doctor", "report", "export", "ui", "sandbox")
HEAVY = {
    "dagster",
    "polars",
    "duckdb",
    "sqlalchemy",
    "httpx",
    "pyarrow",
    "pydantic",
    "rich",
    "uvicorn",
    "jinja2",
    "vl_convert",
    "xlsxwriter",
}


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys; from sitoo_pipeline.cli import app\n"
        "try: app(['--help'])\n"
        f"finally: print('imported', *sorted({HEAVY!r} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].split() == ["imported"]


def test_help_names_every_verb_on_a_line_of_its_own(project: Project) -> None:
    shown = project.invoke("--help").output
    for verb in VERBS:
        [line] = [line for line in shown.splitlines() if line.startswith(f"  {verb} ")]
        assert line.endswith(".")
        assert not line.endswith("...")


@pytest.mark.parametrize("verb", VERBS)
def test_each_verb_explains_itself(project: Project, verb: str) -> None:
    result = project.invoke(verb, "--help")
    assert result.exit_code == 0
    assert f"Usage: sitoo-pipeline {verb}" in result.output
