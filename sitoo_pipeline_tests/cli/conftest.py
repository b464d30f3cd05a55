"""A small chain that sells in real time, and folders to work in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline_tests.cli.project import Project, ago


@pytest.fixture(scope="session")
def sandbox() -> Iterator[Sandbox]:
    with Sandbox(chain=Chain(stores=2, seed=5, opened=ago(5), orders_per_day=25)) as running:
        yield running


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    return Project(tmp_path, monkeypatch)
