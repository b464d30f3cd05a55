"""``export``: the marts' rows as they are, exact, in three formats, in the same bytes each time."""

from __future__ import annotations

import csv
import json
import time
import zipfile
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from xml.etree import ElementTree as ET

import polars as pl
import pytest

from sitoo_pipeline.reporting.errors import TooManyRowsError
from sitoo_pipeline.reporting.export import EXPORTED
from sitoo_pipeline.reporting.formats import write_xlsx
from sitoo_pipeline.tables import marts
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.reporting.conftest import PERIOD
from sitoo_pipeline_tests.reporting.support import invoke

SHEET = {"x": "http://schemas.openxmlformats.org/spreadsheetml/2006/main"}
USUAL = ["marts.hourly_sales", "marts.daily_sales", "marts.z_report_reconciliation"]


def of_period(project: Project, table: str) -> list[dict[str, object]]:
    names = ", ".join(EXPORTED[table].names)
    order = ", ".join(f"{name} NULLS LAST" for name in EXPORTED[table].key)
    return project.query(
        f"SELECT {names} FROM {table} WHERE business_date BETWEEN DATE '2026-10-22' AND DATE '2026-10-25' "
        f"ORDER BY {order}"
    )


def test_csv_has_every_row_and_amount_as_the_marts_have_it(project: Project, tmp_path: Path) -> None:
    result = invoke(project, tmp_path, "export", *PERIOD, "--format", "csv")
    assert result.exit_code == 0, result.output
    folder = tmp_path / "sales_2026-10-22_2026-10-25"
    assert "1 missing: 2026-10-23" in result.stderr
    assert sorted(f"marts.{path.stem}" for path in folder.iterdir()) == sorted(USUAL)
    for table in USUAL:
        with (folder / f"{table.partition('.')[2]}.csv").open(encoding="utf-8", newline="") as file:
            shown = list(csv.DictReader(file))
        rows = of_period(project, table)
        assert len(shown) == len(rows) > 0
        for line, row in zip(shown, rows, strict=True):
            for name, value in row.items():
                if isinstance(value, datetime):
                    assert datetime.fromisoformat(line[name]) == value
                else:
                    assert line[name] == ("" if value is None else str(value)), name


def test_an_hour_is_in_utc_and_by_the_clock_of_the_shop(project: Project, tmp_path: Path) -> None:
    """Also the hour that comes twice: one local time, two instants."""
    output = str(tmp_path / "hours.csv")
    arguments = ("--format", "csv", "--table", "hourly_sales", "--output", output)
    assert invoke(project, tmp_path, "export", *PERIOD, *arguments).exit_code == 0
    with Path(output).open(encoding="utf-8", newline="") as file:
        twice = [row for row in csv.DictReader(file) if row["currency"] == "EUR"]
    assert {row["hour_start"] for row in twice} == {"2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z"}
    assert {row["hour_start_local"] for row in twice} == {"2026-10-25T02:00:00"}


def test_parquet_keeps_the_types(project: Project, tmp_path: Path) -> None:
    arguments = ("--format", "parquet", "--table", "marts.z_report_orders", "--table", "hourly_sales")
    assert invoke(project, tmp_path, "export", *PERIOD, *arguments, "--output", "out").exit_code == 0
    hours = pl.read_parquet(tmp_path / "out" / "hourly_sales.parquet")
    assert hours.drop("hour_start_local").to_dicts() == of_period(project, "marts.hourly_sales")
    assert hours.schema["gross_sales"] == pl.Decimal(18, 2)
    assert hours.schema["hour_start"] == pl.Datetime("us", "UTC")
    orders = pl.read_parquet(tmp_path / "out" / "z_report_orders.parquet").drop_nulls("ordered_at")
    stockholm = orders["ordered_at"].dt.convert_time_zone("Europe/Stockholm").dt.replace_time_zone(None)
    assert orders["ordered_at_local"].to_list() == stockholm.to_list()


def test_a_store_with_its_own_zone_has_its_own_clock(project: Project, tmp_path: Path) -> None:
    own = "stores.0101.timezone = 'Europe/Helsinki'\n"
    file = project.folder / "sitoo_pipeline.toml"
    before = file.read_text(encoding="utf-8")
    try:
        file.write_text(before + own, encoding="utf-8")
        arguments = ("--format", "parquet", "--table", "z_report_orders", "--output", "orders.parquet")
        assert invoke(project, tmp_path, "export", *PERIOD, *arguments).exit_code == 0
    finally:
        file.write_text(before, encoding="utf-8")
    orders = pl.read_parquet(tmp_path / "orders.parquet").drop_nulls("ordered_at")
    for store, zone in (("0101", "Europe/Helsinki"), ("0102", "Europe/Stockholm")):
        rows = orders.filter(pl.col("store_id") == store)
        local = rows["ordered_at"].dt.convert_time_zone(zone).dt.replace_time_zone(None)
        assert rows.height > 0
        assert rows["ordered_at_local"].to_list() == local.to_list()


def cells(path: Path, sheet: int) -> list[list[str]]:
    """The texts and numbers of a sheet, row by row."""
    with zipfile.ZipFile(path) as book:
        strings = ET.fromstring(book.read("xl/sharedStrings.xml"))
        shared = ["".join(part.itertext()) for part in strings.findall("x:si", SHEET)]
        root = ET.fromstring(book.read(f"xl/worksheets/sheet{sheet}.xml"))
    rows = []
    for row in root.iterfind(".//x:row", SHEET):
        found = [(cell.get("t"), cell.findtext("x:v", "", SHEET)) for cell in row.findall("x:c", SHEET)]
        rows.append([shared[int(value)] if kind == "s" else value for kind, value in found])
    return rows


def test_xlsx_has_a_sheet_per_table_with_amounts_as_numbers(project: Project, tmp_path: Path) -> None:
    assert invoke(project, tmp_path, "export", *PERIOD, "--format", "xlsx").exit_code == 0
    path = tmp_path / "sales_2026-10-22_2026-10-25.xlsx"
    with zipfile.ZipFile(path) as book:
        names = [
            sheet.get("name") for sheet in ET.fromstring(book.read("xl/workbook.xml")).iterfind(".//x:sheet", SHEET)
        ]
        formats = book.read("xl/styles.xml").decode()
    assert names == ["about", *(table.partition(".")[2] for table in USUAL)]
    assert '"#,##0.00"' in formats
    about = {what: said for what, said in cells(path, 1) if what != "To know"}
    assert about["Dates"] == "demo: 3 of 4 dates are loaded"
    assert ["To know", "demo: 1 missing: 2026-10-23"] in cells(path, 1)
    heads, *rows = cells(path, 3)
    shown = sum((Decimal(row[heads.index("gross_sales")]) for row in rows), Decimal())
    assert shown == sum(row["gross_sales"] for row in of_period(project, "marts.daily_sales"))  # type: ignore[misc]
    assert "hour_start (UTC)" in cells(path, 2)[0]
    assert "hour_start_local" in cells(path, 2)[0]


@pytest.mark.parametrize("form", ["csv", "parquet", "xlsx"])
def test_identical_figures_make_identical_bytes(project: Project, tmp_path: Path, form: str) -> None:
    made = []
    for name in ("one", "two"):
        arguments = ("--format", form, "--table", "hourly_sales", "--output", name)
        assert invoke(project, tmp_path, "export", *PERIOD, *arguments).exit_code == 0
        made.append((tmp_path / name).read_bytes())
        if form == "xlsx" and name == "one":
            time.sleep(1.1)  # its clock has whole seconds
    assert made[0] == made[1]


def test_json_names_the_files_and_their_rows(project: Project, tmp_path: Path) -> None:
    result = invoke(project, tmp_path, "export", *PERIOD, "--format", "csv", "--table", "daily_sales", "--json")
    said = json.loads(result.stdout)
    assert said["written"] == ["daily_sales_2026-10-22_2026-10-25.csv"]
    assert said["rows"] == {"marts.daily_sales": len(of_period(project, "marts.daily_sales"))}


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("--format", "pdf"), 2, "there are: csv, parquet, xlsx"),
        (("--format", "csv", "--table", "core.orders"), 2, "no such table to export"),
        (("--format", "csv", "--output", "nowhere/out"), 1, "cannot be written"),
        (("--format", "xlsx", "--output", "nowhere/out.xlsx"), 1, "there is no folder"),
    ],
)
def test_wrong_input_is_told(
    project: Project, tmp_path: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    result = invoke(project, tmp_path, "export", *PERIOD, *arguments)
    assert result.exit_code == code
    assert said in result.output
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_left_where_nothing_is_loaded(project: Project, tmp_path: Path) -> None:
    result = invoke(project, tmp_path, "export", "--from", "2026-10-18", "--to", "2026-10-19", "--format", "csv")
    assert result.exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_a_table_that_no_sheet_can_hold_is_refused(tmp_path: Path) -> None:
    frame = pl.DataFrame({"n": pl.int_range(1_048_576, eager=True)})
    with pytest.raises(TooManyRowsError, match="1048576 rows"):
        write_xlsx({"marts.hourly_sales": frame}, [], tmp_path / "out.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_no_mart_that_can_be_exported_holds_personal_data() -> None:
    assert set(EXPORTED) == {table.qualified for table in marts.TABLES}
    assert not [column for table in EXPORTED.values() for column in table.columns if column.personal]
    for table in EXPORTED.values():
        assert table.partition == "business_date"
        assert table.column("account")


def test_instants_without_an_order_stay_empty(project: Project, tmp_path: Path) -> None:
    """A z-report that covers no order has a row without one."""
    arguments = ("--format", "csv", "--table", "z_report_orders", "--output", "orders.csv")
    assert invoke(project, tmp_path, "export", *PERIOD, *arguments).exit_code == 0
    with (tmp_path / "orders.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = of_period(project, "marts.z_report_orders")
    assert [row["order_id"] for row in rows] == [
        "" if row["order_id"] is None else str(row["order_id"]) for row in expected
    ]
    assert all((row["ordered_at"] == "") == (row["ordered_at_local"] == "") for row in rows)
    newest = max(datetime.fromisoformat(row["ordered_at"]) for row in rows if row["ordered_at"])
    assert newest.tzinfo == UTC
    assert newest.date() >= date(2026, 10, 24)
