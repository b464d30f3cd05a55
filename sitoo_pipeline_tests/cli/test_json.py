"""What goes wrong is in the answer to another program too, and standard output has nothing else."""

from __future__ import annotations

import json

import pytest

from sitoo_pipeline.operations.status_report import status_as_json
from sitoo_pipeline_tests.cli.project import DATES, Project


@pytest.fixture
def alone(project: Project) -> Project:
    """An account whose Sitoo does not answer, with nothing loaded."""
    project.write({
        "SITOO_BASE_URL": "http://127.0.0.1:9/v2/accounts/1500", "SITOO_API_ID": "1500-1", "SITOO_API_PASSWORD": "p",
        "SITOO_START_DATE": str(DATES[0]),
    })  # fmt: skip
    return project


def test_status_says_why_an_account_cannot_be_read(alone: Project) -> None:
    listed = json.loads(alone.invoke("status", "--json").stdout)
    folder = alone.folder / "data/sitoo"
    folder.mkdir(parents=True)
    (folder / "warehouse.duckdb").write_bytes(b"what a broken disk left")
    result = alone.invoke("status", "--json")
    assert result.exit_code == 1
    [unread] = json.loads(result.stdout)
    assert (unread["account"], unread["business_date"], unread["state"]) == ("sitoo", None, "unknown")
    assert unread["is_failure"] is True
    assert "warehouse.duckdb" in unread["trouble"]
    assert unread["trouble"] in result.stderr
    assert listed[0].keys() == unread.keys()
    assert {day["trouble"] for day in listed} == {None}


@pytest.mark.parametrize("verb", ["run", "backfill"])
def test_long_work_says_what_became_of_each_date(verb: str, alone: Project) -> None:
    first, last = map(str, DATES)
    period = ["--date", first] if verb == "run" else ["--from", first, "--to", last]
    result = alone.invoke(verb, *period, "--json")
    assert result.exit_code == 1
    [said] = json.loads(result.stdout)
    assert (said["account"], said["success"], said["done"]) == ("sitoo", False, [])
    assert list(said["failed"]) == ([first] if verb == "run" else [first, last])
    assert all("127.0.0.1:9" in why for why in said["failed"].values())


def test_no_account_is_an_empty_list() -> None:
    assert status_as_json([]) == []
