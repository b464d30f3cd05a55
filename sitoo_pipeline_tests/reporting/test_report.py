"""``report``: the page says what the marts hold, to the hundredth, says what it lacks, and needs nothing else."""

from __future__ import annotations

import errno
import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from sitoo_pipeline.reporting.errors import OutputError
from sitoo_pipeline.reporting.files import write_whole
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.reporting.conftest import LOADED, MISSING, PERIOD
from sitoo_pipeline_tests.reporting.support import Page, invoke, number
from sitoo_pipeline_tests.warehouse.holder import Holder

IN_PERIOD = "business_date BETWEEN DATE '2026-10-22' AND DATE '2026-10-25'"


@pytest.fixture(scope="module")
def written(project: Project, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    result = invoke(project, folder, "report", *PERIOD)
    assert result.exit_code == 0, result.output
    [path] = folder.iterdir()
    assert path.name == "sales_2026-10-22_2026-10-25.html"
    return path


@pytest.fixture(scope="module")
def page(written: Path) -> Page:
    return Page(written.read_text(encoding="utf-8"))


@pytest.mark.parametrize("currency", ["SEK", "EUR"])
def test_the_totals_are_those_of_the_marts(page: Page, project: Project, currency: str) -> None:
    [sums] = project.query(
        "SELECT sum(gross_sales) AS gross, sum(net_sales) AS net, sum(returns) AS returns, "
        "sum(discounts) AS discounts, sum(transactions) AS transactions, sum(goods_returned) AS back "
        f"FROM marts.daily_sales WHERE currency = '{currency}' AND {IN_PERIOD}"
    )
    dates = page.table(f"Sales in {currency} per business date").row("All")
    assert number(dates["Gross sales"]) == sums["gross"] > 0
    assert number(dates["Net sales"]) == sums["net"]
    stores = page.table(f"Returns and discounts in {currency}").row("All")
    given = {"Gross sales": "gross", "Returns": "returns", "Discounts": "discounts", "Goods returned": "back"}
    for head, name in {**given, "Transactions": "transactions"}.items():
        assert number(stores[head]) == sums[name], head
    hours = [
        table for table in page.tables if table.caption.startswith(f"Gross sales in {currency} per store and local")
    ]
    whole = [number(table.row("All")["All hours"]) for table in hours if "All hours" in table.heads]
    assert sum(whole) == sums["gross"]


def test_the_conversion_is_of_the_stores_and_dates_where_somebody_counted(page: Page, project: Project) -> None:
    [sums] = project.query(
        "SELECT sum(visitors) AS visitors, sum(transactions) AS transactions, "
        "sum(transactions) FILTER (store_id = '0101' AND channel = 'pos') AS bought, "
        "sum(transactions) FILTER (store_id = '0101' AND currency = 'EUR') AS in_euro "
        f"FROM marts.daily_sales WHERE {IN_PERIOD}"
    )
    assert sums["visitors"] == 123
    assert 0 < sums["in_euro"] < sums["bought"] < sums["transactions"]
    [rate] = re.findall(r"Visitors\s+123\s+([\d.]+)\s?% bought something", page.text)
    assert abs(Decimal(rate) - 100 * sums["bought"] / 123) <= Decimal("0.05")


def test_each_store_hour_and_date_is_that_of_the_marts(page: Page, project: Project) -> None:
    cells = {
        (row["store_id"], f"{row['local_hour']:02}"): row["gross"]
        for row in project.query(
            "SELECT store_id, local_hour, sum(gross_sales) AS gross FROM marts.hourly_sales "
            f"WHERE channel = 'pos' AND currency = 'SEK' AND {IN_PERIOD} GROUP BY ALL"
        )
    }
    [tills, *_] = [table for table in page.tables if "All hours" in table.heads]
    shown = {
        (row["Store"].split()[0], hour): number(text)
        for row in tills.body[:-1]
        for hour, text in row.items()
        if hour not in ("Store", "All hours") and text
    }
    assert shown == cells
    for row in project.query(
        "SELECT business_date, sum(gross_sales) AS gross FROM marts.daily_sales "
        f"WHERE currency = 'SEK' AND {IN_PERIOD} GROUP BY business_date"
    ):
        line = page.table("Sales in SEK per business date").row(f"{row['business_date']:%a %Y-%m-%d}")
        assert number(line["Gross sales"]) == row["gross"]


def test_the_hour_that_came_twice_is_one_hour_of_the_clock(page: Page, project: Project) -> None:
    both = project.query(
        "SELECT hour_start, gross_sales FROM marts.hourly_sales WHERE currency = 'EUR' AND local_hour = 2"
    )
    assert len({row["hour_start"] for row in both}) == 2
    [eur] = [table for table in page.tables if "in EUR per store and local hour, all" in table.caption]
    assert number(eur.row("All")["02"]) == sum(row["gross_sales"] for row in both)


def test_a_date_is_compared_with_its_weekday_a_week_before_and_no_other(page: Page, project: Project) -> None:
    [before, now] = project.query(
        "SELECT sum(gross_sales) AS gross FROM marts.daily_sales WHERE currency = 'SEK' "
        "AND business_date IN (DATE '2026-10-17', DATE '2026-10-24') GROUP BY business_date ORDER BY business_date"
    )
    table = page.table("Sales in SEK per business date")
    for title in ("Sat 2026-10-24", "All"):  # of the period's dates, only one can be compared
        row = table.row(title)
        assert number(row["A week before"]) == before["gross"]
        assert number(row["Difference"]) == now["gross"] - before["gross"]
        assert abs(number(row["Change"]) - 100 * (now["gross"] - before["gross"]) / before["gross"]) <= Decimal("0.05")
    assert table.row("Sun 2026-10-25")["A week before"] == "–"
    assert "1 of 3 dates" in page.text


def test_what_is_missing_is_said_before_the_first_figure(page: Page) -> None:
    before, _, _ = page.text.partition("Sales in SEK")
    assert "3 of 4 dates are loaded" in before
    assert (
        f"1 date missing : not loaded: in no figure below. {MISSING} sitoo-pipeline backfill --from {MISSING}" in before
    )
    assert page.table("Sales in SEK per business date").row(f"{MISSING:%a %Y-%m-%d}")["Gross sales"] == "not loaded"
    assert "unreconciled" in before


def test_each_z_report_that_is_off_is_listed_with_its_difference(page: Page, project: Project) -> None:
    off = project.query(
        "SELECT register_id, status, diff_gross_sales AS diff FROM marts.z_report_reconciliation "
        f"WHERE status IN ('unbalanced', 'missing_z_report') AND {IN_PERIOD}"
    )
    table = page.table("Z-reports that differ from their orders")
    shown = [(row["Register"], None if row["Gross sales"] == "–" else number(row["Gross sales"])) for row in table.body]
    assert sorted(shown, key=str) == sorted(((row["register_id"], row["diff"]) for row in off), key=str)
    assert any(row["status"] == "unbalanced" for row in off)
    counts = {row["status"]: row["n"] for row in project.query(
        f"SELECT status, count(*) AS n FROM marts.z_report_reconciliation WHERE {IN_PERIOD} GROUP BY status"
    )}  # fmt: skip
    total = page.table("Z-reports, and registers without one").row("All")
    assert number(total["Unbalanced"]) == counts["unbalanced"]
    assert number(total["All"]) == sum(counts.values())


def test_every_target_is_on_it(page: Page) -> None:
    targets = [row["Target"] for row in page.table("Records per target").body]
    assert targets == ["weekly_balance_csv", "weekly_balance_sql"]
    assert page.table("Records per target").row("weekly_balance_sql")["Whole dates"] == "0 of 4"


def test_it_needs_no_network_and_no_script(page: Page, written: Path) -> None:
    assert not {tag for tag, _, _ in page.attributes} & {"script", "link", "img", "iframe", "object", "embed", "use"}
    assert not [(tag, name) for tag, name, _ in page.attributes if name in ("src", "href") or name.startswith("on")]
    text = written.read_text(encoding="utf-8")
    assert set(re.findall(r"https?://[^\s\"']+", text)) == set()
    assert re.findall(r"@import|url\((?!#)", text) == []
    assert "default-src 'none'" in text


def test_every_picture_is_told_in_words_and_has_a_table(page: Page, written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    pictures = re.findall(r'<div class="wide"><svg [^>]*role="img" aria-label="([^"]+)"', text)
    assert len(pictures) == len(re.findall(r'<div class="narrow"><svg ', text)) >= 7
    assert all("table below" in label for label in pictures)
    assert all(table.caption for table in page.tables)
    used = set(re.findall(r"var\((--\w+)\)", text))
    assert used <= set(re.findall(r"(--\w+):", text))  # every colour is one that the style knows
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL))
    assert re.findall(r'(?:fill|stroke)="(?!none|var\(|transparent)[^"]+"', drawn) == []


def test_ids_do_not_collide(page: Page) -> None:
    ids = [value for _, name, value in page.attributes if name == "id"]
    assert len(ids) == len(set(ids))


def test_the_same_figures_make_the_same_page(project: Project, written: Path, tmp_path: Path) -> None:
    assert invoke(project, tmp_path, "report", *PERIOD, "--output", "again.html").exit_code == 0
    assert (tmp_path / "again.html").read_bytes() == written.read_bytes()


def test_no_personal_data_is_on_it(project: Project, written: Path) -> None:
    text = written.read_text(encoding="utf-8")
    with project.runtime.warehouse.look() as (con, _):
        names = ("email", "name_last", "crm_member_number")
        found = con.execute(
            " UNION ".join(f"SELECT {name} FROM core.orders WHERE {name} IS NOT NULL" for name in names)
        )
        people = [row[0] for row in found.fetchall()]
    assert len(people) > 5
    assert [person for person in people if person in text] == []


def test_while_a_load_has_the_warehouse_it_is_the_read_copy_and_says_so_also_in_json(
    project: Project, tmp_path: Path
) -> None:
    with Holder(project.account.warehouse_path):
        result = invoke(project, tmp_path, "report", *PERIOD, "--output", "copy.html", "--json", "--account", "demo")
    assert result.exit_code == 0, result.output
    assert "figures of the read copy that was published" in Page((tmp_path / "copy.html").read_text()).text
    said = json.loads(result.stdout)
    assert said["written"] == ["copy.html"]
    [account] = said["accounts"]
    assert account["as_of"]
    assert account["loaded"] == [str(day) for day in LOADED[1:]]
    assert account["states"][str(MISSING)] == "missing"
    sums = project.query(
        f"SELECT currency, sum(gross_sales) AS gross FROM marts.daily_sales WHERE {IN_PERIOD} GROUP BY 1 ORDER BY 1"
    )
    assert [(one["currency"], one["gross_sales"]) for one in account["totals"]] == [
        (row["currency"], str(row["gross"])) for row in sums
    ]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--from", "2026-10-25", "--to", "2026-10-22"), 2, "--to 2026-10-22 is before --from 2026-10-25"),
        (("--from", "2026-10-01", "--to", "2026-10-22"), 2, "on which demo starts"),
        (("--from", "2026-10-18", "--to", "2026-10-19"), 1, "backfill --from 2026-10-18 --to 2026-10-19"),
        ((*PERIOD, "--account", "other"), 2, "there is no such account"),
        ((*PERIOD, "--output", "nowhere/page.html"), 1, "there is no folder"),
        ((*PERIOD, "--output", "."), 1, "it is a folder"),
    ],
)
def test_wrong_input_is_told_and_nothing_is_written(
    project: Project, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = invoke(project, tmp_path, "report", *arguments)
    assert result.exit_code == code
    assert said in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_cannot_be_written_leaves_what_was_there(tmp_path: Path) -> None:
    old = tmp_path / "page.html"
    old.write_text("as it was")

    def failing(path: Path) -> None:
        path.write_text("half a page")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OutputError, match=r"page\.html cannot be written: No space left on device"):
        write_whole(old, failing)
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("page.html", "as it was")]


def test_an_account_that_never_loaded_says_so(project: Project, tmp_path: Path) -> None:
    fresh = Project.make(tmp_path / "fresh", None, start_date=date(2026, 10, 17))
    result = invoke(fresh, tmp_path, "report", *PERIOD)
    assert (result.exit_code, list(tmp_path.glob("*.html"))) == (1, [])
    assert "nothing of 2026-10-22 to 2026-10-25 is loaded for kedjan" in result.output
