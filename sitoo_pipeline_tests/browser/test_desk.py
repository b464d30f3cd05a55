"""What an analyst sees in the UI of a demo instance and does there by clicking, and what the report looks like."""

from __future__ import annotations

import re
from contextlib import chdir
from pathlib import Path
from typing import Literal

import httpx
import pytest
from playwright.sync_api import Page, expect
from typer.testing import CliRunner

from sitoo_pipeline.cli import app
from sitoo_pipeline_tests.browser.conftest import Desk, Keep
from sitoo_pipeline_tests.cli.project import graphql, patiently

GROUPS = ("sitoo", "reference", "raw", "core", "marts", "published", "sinks", "changes")


def test_the_lineage_of_an_account_and_the_plots_of_a_table(desk: Desk, page: Page, keep: Keep) -> None:
    page.goto(f"{desk.url}/asset-groups")
    for group in GROUPS:
        expect(page.get_by_text(f"demo_{group}").filter(visible=True)).to_have_count(2)  # in the list, in the graph
    keep(page, "lineage")
    page.get_by_placeholder("Jump to").fill("hourly_sales")
    page.get_by_placeholder("Jump to").press("ArrowDown")
    page.get_by_placeholder("Jump to").press("Enter")
    expect(page.get_by_text("Metadata plots")).to_be_visible()
    for figure in ("gross_sales_SEK", "transactions", "goods_returned"):
        expect(page.get_by_text(figure)).to_be_attached()
    expect(page.locator("canvas").first).to_be_visible()
    page.get_by_text("gross_sales_SEK").scroll_into_view_if_needed()
    keep(page, "plots")


def test_the_page_of_hourly_sales_says_what_each_column_means(desk: Desk, page: Page, keep: Keep) -> None:
    page.goto(f"{desk.url}/assets/demo/marts/hourly_sales")
    row = page.get_by_role("row", name="gross_sales").first
    expect(row).to_contain_text("DECIMAL(18,2)")
    expect(row).to_contain_text("money")
    expect(row).to_contain_text("Formula: ")
    expect(page.get_by_text("marts.hourly_sales").first).to_be_visible()
    keep(page, "hourly-sales")


def test_a_date_shows_its_figures_rows_and_picture(desk: Desk, page: Page, keep: Keep) -> None:
    day = desk.dates[-1]
    page.goto(f"{desk.url}/assets/demo/marts/hourly_sales?view=partitions&partition={day}")
    expect(page.get_by_text(f"Materialized ({len(desk.dates)})")).to_be_visible()
    for figure in ("dagster/partition_row_count", "gross_sales_SEK", "returns_SEK", "transactions", "goods_sold"):
        expect(page.get_by_role("cell", name=figure, exact=True)).to_be_visible()
    expect(page.get_by_role("cell", name="0101").first).to_be_visible()
    keep(page, "date")
    page.get_by_text("Show Markdown").click()
    picture = page.get_by_role("dialog").get_by_role("img", name=f"Sales of {day}")
    expect(picture).to_be_visible()
    assert picture.evaluate("image => image.naturalWidth") > 400, "the picture is broken"
    keep(page, "date-picture")


def test_every_date_of_a_run_is_an_event_of_its_own(desk: Desk, page: Page) -> None:
    page.goto(f"{desk.url}/assets/demo/marts/daily_sales?view=events")
    for day in desk.dates:
        expect(page.get_by_text(str(day)).first).to_be_visible()


def test_a_check_that_fails_says_what_where_and_what_to_do(desk: Desk, page: Page, keep: Keep) -> None:
    page.goto(f"{desk.url}/assets/demo/marts/z_report_reconciliation?view=checks&checkDetail=z_reports_balance")
    expect(page.get_by_text("every z-report equals the orders of its register and period").first).to_be_visible()
    for said in ("expected", "actual", "examples", "query", "what_to_do"):
        expect(page.get_by_text(said, exact=True).first).to_be_attached()
    expect(page.get_by_role("cell", name=str(desk.wrong)).first).to_be_visible()
    expect(page.get_by_role("cell", name="gross_sales", exact=True).first).to_be_visible()
    keep(page, "failed-check")


def test_a_backfill_is_started_and_finished_by_clicking(desk: Desk, page: Page, keep: Keep) -> None:
    page.goto(f"{desk.url}/assets/demo/marts/daily_sales?view=partitions")
    page.get_by_role("button", name=re.compile("Materialize")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("input[type=text]").first.fill(f"[{desk.dates[-2]}...{desk.dates[-1]}]")
    dialog.locator("input[type=text]").first.press("Tab")
    expect(dialog.get_by_text("2 partitions")).to_be_visible()
    keep(page, "backfill-dialog")
    dialog.get_by_role("button", name=re.compile("Launch")).click()
    patiently(lambda: len(ends_of_backfills(desk)) == 1)
    page.goto("about:blank")  # an open page asks all the time, and the daemon looks once in half a minute
    patiently(lambda: all(ends_of_backfills(desk)), seconds=180)
    page.goto(f"{desk.url}/runs?view=backfills")
    expect(page.get_by_text("Completed").or_(page.get_by_text("Success")).first).to_be_visible()
    keep(page, "backfill")


def ends_of_backfills(desk: Desk) -> list[float | None]:
    """When each backfill ended; None where it has not."""
    with httpx.Client(trust_env=False, timeout=10) as client:
        asked = "{ partitionBackfillsOrError { ... on PartitionBackfills { results { endTimestamp } } } }"
        found = graphql(client, desk.port, asked)
    return [backfill["endTimestamp"] for backfill in found["partitionBackfillsOrError"]["results"]]


@pytest.fixture(scope="module")
def report(desk: Desk, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("report") / "report.html"
    first, last = desk.dates[-min(7, len(desk.dates))], desk.dates[-1]
    with chdir(desk.folder):
        result = CliRunner().invoke(app, ["report", "--from", f"{first}", "--to", f"{last}", "--output", str(file)])
    assert result.exit_code == 0, result.output
    return file


@pytest.mark.parametrize(
    ("name", "scheme", "width"),
    [("report", "light", 1200), ("report-dark", "dark", 1200), ("report-narrow", "light", 390)],
)
def test_the_report_is_readable(
    report: Path, page: Page, keep: Keep, name: str, scheme: Literal["light", "dark"], width: int
) -> None:
    page.set_viewport_size({"width": width, "height": 1400})
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    expect(page.locator("svg").filter(visible=True).first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width, "it has to be scrolled sideways"
    lightness = "sum(getComputedStyle(document.body).{}.match(/[\\d.]+/g).slice(0, 3))"
    total = "const sum = parts => parts.reduce((all, part) => all + Number(part), 0); "
    paper, ink = (
        page.evaluate(f"() => {{ {total} return {lightness.format(what)} }}") for what in ("backgroundColor", "color")
    )
    assert (paper > ink) == (scheme == "light")
    assert abs(paper - ink) > 400, "ink and paper are too alike"
    keep(page, name)


def test_the_report_prints(report: Path, page: Page) -> None:
    page.emulate_media(media="print")
    page.goto(report.as_uri())
    assert page.pdf(format="A4").count(b"/Type /Page\n") in range(2, 30)
