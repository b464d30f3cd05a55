"""The demo as its first user sees it: one real run in a pipe, then everything that it invites to."""

from __future__ import annotations

import re
import shlex
import signal
import subprocess
import sys
from contextlib import chdir
from datetime import date
from decimal import Decimal
from pathlib import Path

import dagster as dg
import duckdb
import httpx
import pytest
from dagster._core.instance import InstanceRef
from rich.console import Console

from sitoo_pipeline.assets.day_status import DayStatus
from sitoo_pipeline.operations.demo_report import demo_as_json, money, print_demo
from sitoo_pipeline.operations.status import statuses
from sitoo_pipeline.settings import load_settings
from sitoo_pipeline_tests.cli.project import (
    DATES,
    Project,
    Shown,
    a_free_port,
    answers,
    children,
    graphql,
    patiently,
    processes_of_session,
    stop,
)

REPOSITORY = Path(__file__).parents[2]


def sold(shown: Shown) -> dict[tuple[date, str, str], Decimal]:
    query = "SELECT business_date, store_id, channel, sum(gross_sales) FROM marts.daily_sales GROUP BY ALL"
    with duckdb.connect(str(shown.account / "warehouse_read.duckdb"), read_only=True) as con:
        return {(day, store, channel): gross for day, store, channel, gross in con.execute(query).fetchall()}


def test_it_ends_well_and_says_what_it_does(shown: Shown) -> None:
    assert (shown.code, shown.err) == (0, "")
    stages = [line.removeprefix("demo: ") for line in shown.out.splitlines() if line.startswith("demo: ")]
    span = f"{DATES[0]} to {DATES[1]}"
    assert stages[:5] == [
        "stores and registers",
        f"fetching from Sitoo, {span}",
        f"computing, {span}",
        f"delivering, {span}",
        "publishing the read copy",
    ]
    assert re.fullmatch(
        r"[\d.]+ s: reference [\d.]+, extract [\d.]+, transform [\d.]+, deliver [\d.]+, publish [\d.]+", stages[5]
    )


def test_a_row_per_day_and_a_column_per_store(shown: Shown) -> None:
    lines = shown.out.splitlines()
    figures = sold(shown)
    stores = sorted({store for _, store, channel in figures if channel == "pos"})
    assert lines[lines.index(f"Gross sales of the stores, {DATES[0]} to {DATES[1]}") + 1].split() == [
        "date",
        *stores,
        "z-rep.",
        "sent",
    ]
    for day in DATES:
        [line] = [line for line in lines if line.startswith(str(day))]
        cells = re.split(r"\s{2,}", line.strip())
        assert cells[1:3] == [money(figures[day, store, "pos"], places=0) for store in stores]
        done, number = cells[3].split("/")
        assert done == number != "0"
        assert cells[4] == "4/4"


def test_exact_totals(shown: Shown) -> None:
    figures = sold(shown)
    for channel in ("pos", "online"):
        total = sum(amount for (_, _, at), amount in figures.items() if at == channel)
        assert money(Decimal(total)) in next(line for line in shown.out.splitlines() if line.strip().startswith("all "))
    assert re.search(r"z-reports: (\d+) of \1 balance with the orders\.", shown.out)
    said = " ".join(shown.out.split())
    days = r"weekly_balance_sql 2/2, weekly_balance_csv 2/2, samesystem (\d+)/\1, ometria (\d+)/\2\."
    assert re.search(f"Delivered: {days}", said)


def test_the_query_works_as_printed(shown: Shown) -> None:
    [command] = [line.strip() for line in shown.out.splitlines() if "import duckdb" in line]
    done = subprocess.run(shlex.split(command), cwd=shown.folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "gross_sales" in done.stdout
    assert str(DATES[0]) in done.stdout


def shown_at(width: int, days: list[DayStatus]) -> list[str]:
    console = Console(width=width, record=True, quiet=False, soft_wrap=True, highlight=False, file=sys.stdout)
    print_demo(days, [], console)
    lines = console.export_text().splitlines()
    return lines[: lines.index("Next:")]


@pytest.mark.parametrize("width", [80, 120])
def test_no_line_of_figures_is_wider_than_the_terminal(shown: Shown, width: int) -> None:
    with chdir(shown.folder):
        [account] = load_settings(cwd=shown.account, environ={}).accounts
    days = statuses(account, DATES)
    said = demo_as_json(days, ["why"], success=True)
    assert [(day["business_date"], day["state"]) for day in said["days"]] == [(str(day), "done") for day in DATES]
    assert (said["success"], said["troubles"]) == (True, ["why"])
    for number in (4, 6, 9):
        wide = [many_stores(day, number) for day in days]
        assert max(len(line.rstrip()) for line in shown_at(width, wide)) <= width
    rows = [line for line in shown_at(80, [many_stores(day, 9) for day in days]) if line.startswith(str(DATES[0]))]
    assert len(rows) == 9
    assert "123 456.78" in rows[0]
    assert (
        len([line for line in shown_at(120, [many_stores(day, 9) for day in days]) if line.startswith(str(DATES[0]))])
        == 1
    )


def many_stores(day: DayStatus, number: int) -> DayStatus:
    stores = [f"{100 + each}" for each in range(number)]
    found = DayStatus(**vars(day))
    found.sold = {(store, "pos", "SEK"): Decimal("123456.78") for store in stores}
    found.store_names = {store: f"Store {store}" for store in stores}
    return found


def test_the_ui_shows_the_demos_runs_and_stops_with_all_its_children(shown: Shown, project: Project) -> None:
    with httpx.Client(trust_env=False, timeout=10) as client:
        project.folder = shown.folder
        port = a_free_port()
        process = project.start("ui", "--port", str(port))
        try:
            patiently(lambda: answers(client, f"http://127.0.0.1:{port}/server_info"), seconds=60)
            found = graphql(client, port, "{ runsOrError { ... on Runs { results { jobName status } } } }")
            stages = [run["jobName"] for run in reversed(found["runsOrError"]["results"])]
            assert stages == [f"demo_{stage}" for stage in ("reference", "extract", "transform", "deliver", "publish")]
            [leader] = children(process.pid)
            assert len(processes_of_session(leader)) > 2
            beside = a_free_port()
            analysts = project.start("ui", "--read-only", "--port", str(beside))
            try:
                patiently(lambda: answers(client, f"http://127.0.0.1:{beside}/server_info"), seconds=60)
                shown_there = graphql(client, beside, "{ permissions { value } runsOrError { __typename } }")
                assert {permission["value"] for permission in shown_there["permissions"]} == {False}
                assert shown_there["runsOrError"]["__typename"] == "Runs"
            finally:
                assert stop(analysts, signal.SIGTERM) == 0
                analysts.communicate()
        finally:
            code = stop(process, signal.SIGTERM)
            process.communicate()
    assert code == 0
    patiently(lambda: not processes_of_session(leader))


def test_dagster_dev_in_the_project_folder_has_the_same_history(shown: Shown, tmp_path: Path) -> None:
    with (
        chdir(shown.folder),
        dg.DagsterInstance.from_ref(InstanceRef.from_dir(str(tmp_path), config_dir=str(REPOSITORY))) as it,
    ):
        assert {run.job_name for run in it.get_runs()} == {
            f"demo_{stage}" for stage in ("reference", "extract", "transform", "deliver", "publish")
        }
