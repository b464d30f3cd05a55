"""``upgrade``, and ``backfill --no-fetch``: a warehouse of an older version, brought up to date and made whole."""

from __future__ import annotations

import json

import duckdb
import pytest

from sitoo_pipeline.warehouse import SCHEMA_VERSION
from sitoo_pipeline_tests.cli.project import DATES, Project

FIGURES = "SELECT * EXCLUDE (_loaded_at, _run_id) FROM marts.{} ORDER BY ALL"
OLDER = (
    "DROP TABLE meta.schema_version",
    "DROP TABLE marts.register_sales",
    "DELETE FROM meta.loads WHERE table_name = 'marts.register_sales'",
    "ALTER TABLE marts.weekly_balance_hourly DROP COLUMN visitors",
)


def execute(project: Project, *statements: str) -> list[tuple[object, ...]]:
    with duckdb.connect(str(project.folder / "data/demo/warehouse.duckdb")) as con:
        return [row for statement in statements for row in con.execute(statement).fetchall()]


@pytest.fixture
def older(copy: Project) -> Project:
    """What the demo loaded, as a version would have left it that knew no register_sales and no visitors."""
    execute(copy, *OLDER)
    return copy


@pytest.mark.parametrize("verb", ["status", "doctor"])
def test_looking_at_an_older_warehouse_says_what_to_do_and_migrates_nothing(verb: str, older: Project) -> None:
    result = older.invoke(verb)
    assert result.exit_code == 1
    assert "has schema version 1" in result.output
    assert "sitoo-pipeline upgrade" in result.output
    assert not [name for name in older.files() if "version-" in name]


def test_an_older_warehouse_is_upgraded_and_made_whole_without_asking_sitoo(copy: Project) -> None:
    """Nothing listens where the demo's Sitoo was."""
    tables = ("register_sales", "weekly_balance_hourly")
    before = execute(copy, *(FIGURES.format(table) for table in tables))
    execute(copy, *OLDER)
    done = copy.invoke("upgrade")
    assert done.exit_code == 0
    period = f"--from {DATES[0]} --to {DATES[1]}"
    command = f"sitoo-pipeline backfill --account demo {period} --no-fetch"
    assert f"demo: schema version {SCHEMA_VERSION}; " in done.output
    assert "to be computed again: marts.weekly_balance_hourly" in done.output
    assert f"2 dates lack something new; to complete them: {command}\n" in done.output
    assert "demo/warehouse.version-1.duckdb" in done.output

    lacking = copy.invoke("status")
    assert lacking.exit_code == 1
    assert "incomplete" in lacking.output
    assert "not loaded: marts.register_sales, marts.weekly_balance_hourly" in lacking.output

    computed = copy.invoke(*command.split()[1:])
    assert (computed.exit_code, "demo: 2 of 2 dates done" in computed.output) == (0, True), computed.output
    assert execute(copy, *(FIGURES.format(table) for table in tables)) == before
    assert copy.invoke("status").exit_code == 0
    again = copy.invoke("upgrade", "--json")
    assert json.loads(again.stdout) == [
        {
            "account": "demo", "version": SCHEMA_VERSION, "changes": "", "copy": None, "incomplete": [],
            "command": None, "problem": None,
        }
    ]  # fmt: skip


def test_a_newer_warehouse_is_refused(copy: Project) -> None:
    execute(copy, "INSERT INTO meta.schema_version VALUES (99, now(), 'from the future')")
    for arguments in (
        ["upgrade"],
        ["status"],
        ["backfill", "--from", str(DATES[0]), "--to", str(DATES[0]), "--no-fetch"],
    ):
        result = copy.invoke(*arguments)
        assert result.exit_code == 1
        assert "has schema version 99" in result.output
        assert "Install the newer pipeline again" in result.output


def test_without_a_warehouse_there_is_nothing_to_upgrade_and_nothing_to_compute_from(project: Project) -> None:
    project.write({
        "SITOO_BASE_URL": "http://127.0.0.1:9/v2/accounts/1500", "SITOO_API_ID": "1500-1", "SITOO_API_PASSWORD": "p",
        "SITOO_START_DATE": str(DATES[0]),
    })  # fmt: skip
    result = project.invoke("upgrade")
    assert (result.exit_code, result.stdout) == (0, "sitoo: there is no warehouse yet\n")
    computed = project.invoke("backfill", "--from", str(DATES[0]), "--to", str(DATES[0]), "--no-fetch")
    assert computed.exit_code == 1
    assert "was never fetched" in computed.output
    assert "run it without --no-fetch" in computed.output
