"""What several of these tests start from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sitoo_pipeline_tests.assets.fetches import FIRST, ORDERS, Sitoo
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.sitoo.server import Server


@pytest.fixture
def sitoo(tmp_path: Path) -> Iterator[Sitoo]:
    with Server(Script({"orders": ORDERS})) as server:
        yield Sitoo(server, Project.make(tmp_path, server, start_date=FIRST).runtime)
