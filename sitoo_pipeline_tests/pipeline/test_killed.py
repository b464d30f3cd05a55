"""A backfill that is killed, at several moments, and run again ends the same as one that never was."""

from __future__ import annotations

import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from sitoo_pipeline.sandbox import Faults, Sandbox
from sitoo_pipeline_tests.pipeline.conftest import CHAIN, NOW, WEEK, Week, week_project
from sitoo_pipeline_tests.pipeline.project import Project

LONGEST = 120
"""Seconds after which a moment that does not come is a failure of the test."""


@contextmanager
def backfill(project: Project) -> Iterator[subprocess.Popen[bytes]]:
    """The command at work, in a process of its own; it is gone after the block."""
    command = [sys.executable, "-m", "sitoo_pipeline", "backfill", "--from", str(WEEK[0]), "--to", str(WEEK[-1])]
    with subprocess.Popen(
        command, cwd=project.folder, env=project.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def kill_at_request(project: Project, sandbox: Sandbox, number: int, pattern: str) -> None:
    """Kill it when it sends the ``number``-th request that matches, before that is answered."""
    count = 0
    with backfill(project) as process:

        def watch(target: str) -> bool:
            nonlocal count
            count += re.search(pattern, target) is not None
            if count == number:
                os.kill(process.pid, signal.SIGKILL)
            return False

        sandbox.faults = Faults(rate=1, match=watch)
        assert process.wait(LONGEST) == -signal.SIGKILL
    sandbox.faults = Faults()


def kill_when(project: Project, has_come: Callable[[], bool]) -> None:
    """Kill it as soon as something is seen from outside."""
    with backfill(project) as process:
        give_up = time.monotonic() + LONGEST
        while process.poll() is None and not has_come():
            assert time.monotonic() < give_up
            time.sleep(0.005)
        process.kill()
        assert process.wait(LONGEST) == -signal.SIGKILL


def is_materialized(project: Project, *asset: str) -> bool:
    """Whether Dagster has recorded the asset, read without Dagster."""
    file = project.settings.data_dir / "dagster_home" / "history" / "runs" / "index.db"
    if not file.exists():
        return False
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)) as con:
        query = "SELECT count(*) FROM event_logs WHERE dagster_event_type = 'ASSET_MATERIALIZATION' AND asset_key = ?"
        try:
            [[count]] = con.execute(query, ['["' + '", "'.join(asset) + '"]'])
        except sqlite3.OperationalError:  # the table is not there yet
            return False
    return bool(count)


@pytest.mark.soak
def test_a_backfill_that_is_killed_again_and_again_ends_the_same(week: Week, tmp_path: Path) -> None:
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        project = week_project(tmp_path, sandbox, more="chunk_days = 3\n")
        kill_at_request(project, sandbox, 2, r"/orders\.json\?.*orderdatefrom")  # ahead, while dates are loaded
        kill_when(project, lambda: is_materialized(project, "kedjan", "core", "orders"))
        kill_at_request(project, sandbox, 3, "/push$")
        assert sandbox.ometria.orders
        project.load(WEEK)

        assert project.content() == week.project.content()
        assert sandbox.ometria.records == week.sandbox.ometria.records
        mine, theirs = (each.account.exports_folder for each in (project, week.project))
        assert {file.name: file.read_bytes() for file in mine.rglob("*.*")} == {
            file.name: file.read_bytes() for file in theirs.rglob("*.*")
        }
        assert _target(project) == _target(week.project)


def _target(project: Project) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(project.account.folder / "weekly_balance.db")) as con:
        columns = "store_id, currency, business_date, hour, content_hash"
        return con.execute(f"SELECT {columns} FROM weekly_balance_hourly ORDER BY {columns}").fetchall()
