"""What a restore leaves behind in the files that it puts in their place."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from pathlib import Path

import pytest
from pydantic import SecretStr

from sitoo_pipeline.operations.backup import make_backup
from sitoo_pipeline.operations.restore import restore_backup
from sitoo_pipeline.sinks import Ledger
from sitoo_pipeline_tests.pipeline.project import Project


@pytest.mark.parametrize("only", [None, "one"])
def test_every_account_of_a_shared_ledger_is_told_that_it_was_restored(tmp_path: Path, only: str | None) -> None:
    """Of an account that was not, what went out since would go out again."""
    made = Project.make(tmp_path, None, start_date=date(2026, 1, 1)).account
    shared = tmp_path / "shared.db"
    url = f"sqlite:///{shared}"
    accounts = [
        made.model_copy(update={"name": name, "folder": made.folder.parent / name, "deliveries_url": SecretStr(url)})
        for name in ("one", "two")
    ]
    with Ledger(url):
        make_backup(accounts, tmp_path / "b.tar")
    restore_backup(accounts, tmp_path / "b.tar", only=only, force=True)
    with closing(sqlite3.connect(shared)) as con:
        assert con.execute("SELECT account FROM restores ORDER BY 1").fetchall() == [("one",), ("two",)]
