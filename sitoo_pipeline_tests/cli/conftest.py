"""A small chain that sells in real time, and folders to work in."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline_tests.cli.project import PROGRAM, Project, Shown, ago, clean_environment


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chain=Chain(stores=2, seed=5, opened=ago(5), orders_per_day=25)) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)


@pytest.fixture(scope="session")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Shown:
    folder = tmp_path_factory.mktemp("demo")
    done = subprocess.run(
        [PROGRAM, "demo", "--days", "2", "--stores", "2"],
        cwd=folder,
        env=clean_environment(COLUMNS="80"),
        capture_output=True,
        text=True,
        check=False,
        timeout=300,  # a guard: it takes seconds, on a machine that has nothing else to do
    )
    return Shown(folder, done.returncode, done.stdout, done.stderr)


@pytest.fixture
def copy(shown: Shown, project: Project) -> Project:
    """A folder of one's own with what the demo loaded, and the demo's settings as the only ones."""
    shutil.copytree(shown.account, project.folder / "data" / "demo")
    said = dict(line.split("=", 1) for line in (shown.account / ".env").read_text().splitlines())
    project.write({name: value for name, value in said.items() if name.startswith(("SITOO_", "OMETRIA_"))},
                  SITOO_PIPELINE_DATA_DIR="data")  # fmt: skip
    return project
