"""Two accounts side by side, while the warehouse of one is open in another program."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

import pytest

from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.sitoo.server import Server

DAY = date(2026, 10, 24)
_HOLD = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"


@contextmanager
def held(path: Path) -> Iterator[int]:
    """The DuckDB file, open in another process within the block; its process id."""
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.communicate()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    with Server(Script(scenario.OBJECTS)) as server:
        outlet = (
            f'[accounts.outlet]\nbase_url = "{server.url}"\nstart_date = {DAY}\n'
            'api_id_env = "KEDJAN_ID"\napi_password_env = "KEDJAN_PASSWORD"\n'
        )
        yield Project.make(
            tmp_path_factory.mktemp("locked"), server, start_date=DAY, more=f"lock_timeout = 0.2\n{outlet}"
        )


def test_a_warehouse_that_is_open_elsewhere_is_named_and_loses_nothing(project: Project) -> None:
    kedjan, outlet = project.settings.accounts
    project.load_plainly([[DAY]])
    before = project.everything()
    assert before["marts.hourly_sales"]

    with held(kedjan.warehouse_path) as pid:
        locked, free = project.run_accounts({"kedjan": [DAY], "outlet": [DAY]})
    assert list(locked.failed) == [DAY]
    assert f"(process {pid})" in locked.failed[DAY]
    assert str(kedjan.warehouse_path) in locked.failed[DAY]
    assert (free.done, free.failed, free.warnings) == ([DAY], {}, [])
    assert outlet.read_copy_path.exists()

    project.load_plainly([[DAY]])
    assert project.everything() == before
