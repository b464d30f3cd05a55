"""``status``: what it shows of each state, in how much room, as JSON, and its exit codes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

import duckdb
import pytest
import sqlalchemy as sa
from rich.console import Console

from sitoo_pipeline.operations.status import survey
from sitoo_pipeline.operations.status_report import print_status
from sitoo_pipeline.settings import load_settings
from sitoo_pipeline_tests.cli.project import DATES, TODAY, Project, ago, clean_environment

HEADING = ["dates", "days", "state", "z-reports", "targets"]


def rows(output: str) -> list[list[str]]:
    """The cells of the rows, without the lines of what each lacks."""
    found = [line.split() for line in output.splitlines() if re.match(r"  \S", line)]
    assert not found or found[0] == HEADING
    return found[1:]


@contextmanager
def warehouse(project: Project) -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect(str(project.folder / "data/demo/warehouse.duckdb")) as con:
        yield con


def test_one_line_where_nothing_is_lacking(copy: Project) -> None:
    result = copy.invoke("status")
    assert (result.exit_code, result.output) == (0, f"demo: 2 of 2 dates done; {TODAY} is open\n")


def test_every_date_of_a_period(copy: Project) -> None:
    result = copy.invoke("status", "--from", str(DATES[0]), "--to", str(DATES[1]))
    assert result.exit_code == 0
    assert result.output.splitlines()[0] == "demo: 2 of 2 dates done"
    found = rows(result.output)
    assert [row[:3] + row[4:] for row in found] == [[str(day), "1", "done", "3/3"] for day in DATES]
    assert all(re.fullmatch(r"(\d+)/\1", row[3]) for row in found)
    [*_, last] = rows(copy.invoke("status", "--from", str(DATES[1])).output)
    assert last == [str(TODAY), "1", "open", "-", "-"]


def test_verbs_that_only_look_do_not_wait_for_what_only_runs_need(copy: Project) -> None:
    code = """
import sys
from sitoo_pipeline.cli import app
report = ["report", "--from", sys.argv[1], "--to", sys.argv[2]]
for arguments in (["status"], report, ["backup", "--output", "all.tar"], ["doctor"]):
    try:
        app(arguments)
    except SystemExit as ended:
        assert ended.code == 0 or arguments == ["doctor"], arguments  # the sandbox is not there any more
print("imported", *(name in sys.modules for name in ("polars", "dagster", "pandera")))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, DATES)],
        cwd=copy.folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.splitlines()[-1:] == ["imported True False False"], done.stderr


def test_json_has_every_date(copy: Project) -> None:
    result = copy.invoke("status", "--json")
    assert result.exit_code == 0
    listed = json.loads(result.stdout)
    assert [(day["business_date"], day["state"]) for day in listed] == [
        *((str(day), "done") for day in DATES),
        (str(TODAY), "open"),
    ]
    assert listed[0]["deliveries"]["weekly_balance_sql"] == {"delivered": 1}
    assert listed[0].keys() == {
        "account", "business_date", "state", "is_failure", "gaps", "z_reports", "deliveries", "not_handed_over",
        "left_out", "refused", "failed", "as_of", "trouble",
    }  # fmt: skip


def test_an_unbalanced_z_report_is_shown_and_is_no_failure(copy: Project) -> None:
    with warehouse(copy) as con:
        con.execute(
            "UPDATE marts.z_report_reconciliation SET status = 'unbalanced' WHERE business_date = ? AND z_report_id = "
            "(SELECT min(z_report_id) FROM marts.z_report_reconciliation WHERE business_date = ?)",
            [DATES[0], DATES[0]],
        )
    result = copy.invoke("status")
    assert result.exit_code == 0
    assert result.output.startswith(f"demo: 1 of 2 dates done; 1 unreconciled; {TODAY} is open\n")
    [row] = rows(result.output)
    assert (row[:3], row[-1]) == ([str(DATES[0]), "1", "unreconciled"], "3/3")
    assert re.search(r"^    z-reports: \d+ unbalanced$", result.output, re.M)


def test_a_failed_date_and_its_reason(copy: Project) -> None:
    with warehouse(copy) as con:
        con.execute(
            "INSERT INTO meta.loads BY NAME "
            "SELECT * REPLACE ('failed' AS status, now() AS finished_at, 'it broke' AS message) FROM meta.loads "
            "WHERE table_name = 'raw.orders' AND business_date = ?",
            [DATES[1]],
        )
    result = copy.invoke("status")
    assert result.exit_code == 1
    [row] = rows(result.output)
    assert row[:3] == [str(DATES[1]), "1", "failed"]
    assert result.output.splitlines()[-1] == "    it broke"


def test_what_a_target_lacks(copy: Project) -> None:
    ledger = sa.create_engine(f"sqlite:///{copy.folder}/data/demo/deliveries.db")
    with ledger.begin() as connection:
        connection.execute(
            sa.text("UPDATE deliveries SET state = 'retry' WHERE target = 'weekly_balance_sql' AND partition = :day"),
            {"day": str(DATES[0])},
        )
        connection.execute(
            sa.text("DELETE FROM deliveries WHERE target IN ('weekly_balance_csv', 'ometria') AND partition = :day"),
            {"day": str(DATES[1])},
        )
    ledger.dispose()
    result = copy.invoke("status")
    assert result.exit_code == 1
    assert [row[2:3] + row[-1:] for row in rows(result.output)] == [["undelivered", "2/3"], ["undelivered", "1/3"]]
    assert "    weekly_balance_sql: 1 retry" in result.output
    assert "    weekly_balance_csv: nothing handed over" in result.output
    assert "    ometria: nothing handed over" in result.output


def test_missing_dates_share_a_row(copy: Project) -> None:
    text = (copy.folder / ".env").read_text()
    (copy.folder / ".env").write_text(text.replace(f"SITOO_START_DATE={DATES[0]}", f"SITOO_START_DATE={ago(367)}"))
    result = copy.invoke("status")
    assert result.exit_code == 1
    assert result.output.splitlines()[0] == f"demo: 2 of 367 dates done; 365 missing; {TODAY} is open"
    assert rows(result.output) == [[str(ago(367)), "to", str(ago(3)), "365", "missing", "-", "-"]]


@contextmanager
def held(project: Project) -> Iterator[int]:
    """The warehouse, open in another process; ``lock_timeout`` is short."""
    said = (project.folder / ".env").read_text()
    base_url = next(line.split("=", 1)[1] for line in said.splitlines() if line.startswith("SITOO_BASE_URL"))
    (project.folder / "sitoo_pipeline.toml").write_text(
        f'[accounts.demo]\nbase_url = "{base_url}"\napi_id_env = "SITOO_API_ID"\n'
        f'api_password_env = "SITOO_API_PASSWORD"\nstart_date = {DATES[0]}\nlock_timeout = 0.2\n'
    )
    code = "import duckdb; con = duckdb.connect('data/demo/warehouse.duckdb'); print('open', flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=project.folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        holder.stdout.readline()
        yield holder.pid
        holder.communicate("\n")


def test_while_the_warehouse_is_held_the_read_copy_answers_and_says_of_when_it_is(copy: Project) -> None:
    with held(copy):
        result = copy.invoke("status")
        as_of = {day["as_of"] for day in json.loads(copy.invoke("status", "--json").stdout)}
    assert result.exit_code == 0
    summary, note = result.stdout.splitlines()[:2]
    assert summary.startswith("demo: 2 of 2 dates done")
    assert re.fullmatch(r"A load has the warehouse open: this is the read copy of [-\d]+ [\d:]+ UTC\.", note)
    assert None not in as_of


def test_the_holder_of_the_warehouse_is_named(copy: Project) -> None:
    (copy.folder / "data/demo/warehouse_read.duckdb").unlink()
    with held(copy) as pid:
        status, doctor = copy.invoke("status"), copy.invoke("doctor")
    assert (status.exit_code, doctor.exit_code) == (1, 1)
    for result in (status, doctor):
        assert f"(process {pid})" in result.output
        assert "Close it there" in result.output
    assert "main" not in copy.files()


@pytest.mark.parametrize("is_terminal", [True, False])
def test_colours_on_a_terminal_only_and_no_row_wider_than_eighty(copy: Project, *, is_terminal: bool) -> None:
    variables = dict(line.split("=", 1) for line in (copy.folder / ".env").read_text().splitlines())
    variables["SITOO_START_DATE"] = str(ago(400))
    [found] = survey(load_settings(cwd=copy.folder, environ=variables), None, None)
    colours: Literal["standard", "auto"] = "standard" if is_terminal else "auto"
    console = Console(width=80, force_terminal=is_terminal, color_system=colours, soft_wrap=True, highlight=False)
    with console.capture() as capture:
        print_status(found, console, every_date=True)
    said = capture.get()
    assert len(said.splitlines()) == 2 + 401
    assert ("\x1b[31m" in said) is is_terminal
    assert max(len(re.sub(r"\x1b\[[\d;]*m", "", line)) for line in said.splitlines()) <= 80
