from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from sitoo_pipeline.sandbox.samesystem_csv import Layout
from sitoo_pipeline.sinks.weekly_balance_files import WeeklyBalanceFiles
from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat
from sitoo_pipeline_tests.sandbox.samesystem import FULL, MONDAY, Client, Clock
from sitoo_pipeline_tests.sinks.frames import DAY as SOLD
from sitoo_pipeline_tests.sinks.frames import store_day

DAY = date.fromisoformat(MONDAY)
HEADER = (
    "Department Id;Register Id;Date;Hour;Net Sales;Gross Sales;Discounts;Returns;"
    "Transactions;Number of goods sold;Number of returned goods;Visitors"
)
ROW = "0101;1;2026-11-02;10:00:00;1.234,56;1543,20;25,00;0,00;7;11;0;3"


def file_of(*rows: str, header: str = HEADER) -> bytes:
    return "\n".join([header, *rows, ""]).encode()


def exported(layout: CsvFormat) -> bytes:
    """What the pipeline writes for a day with figures of every size."""
    frame = store_day({9: "-12.50", 10: "1543.20", 12: "1234567.89"}, store="0101", net_sales=Decimal("1234.56"))
    files = WeeklyBalanceFiles(Path("nowhere"), home_currency={"0101": "SEK"}, csv_format=layout)
    [[file], _] = files.make(frame, account="acme", dates=[SOLD])
    return file.text.encode(layout.encoding)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (CsvFormat(), Layout()),
        (
            CsvFormat(column=",", decimal=".", thousands="", date_format="%d-%m-%Y"),
            Layout(column_separator=",", decimal_mark=".", thousands_mark="", date_format="%d-%m-%Y"),
        ),
        (CsvFormat(register_id=None, negative=frozenset({"returns", "discounts"})), Layout()),
    ],
)
def test_the_pipelines_own_file_is_imported(client: Client, ours: CsvFormat, theirs: Layout) -> None:
    samesystem = client.sandbox.samesystem
    samesystem.nights.layout = theirs
    done = samesystem.nights.import_file(exported(ours))
    assert (done.refusal, done.taken) == (None, [samesystem.state.key("0101", SOLD)])
    hours = samesystem.nights.hours[done.taken[0]]
    assert list(hours) == list(range(24))
    assert hours[10]["Gross Sales"] == Decimal("1543.20")
    shown = samesystem.state.shown("0101", SOLD)[1]
    assert (shown["Gross sales"], shown["Net sales"]) == (Decimal("1236098.59"), Decimal("3703.68"))
    assert samesystem.state.used("0101", SOLD) is None


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (ROW.replace(";3", ";"), "an empty value"),
        (ROW.replace("1.234,56", "1,234.56"), "Net Sales '1,234.56' is not a number"),
        (ROW.replace("1543,20", "1543.20"), "Gross Sales '1543.20' is not a number"),
        (ROW.replace("0101", "999"), "no department '999'"),
        (ROW.replace("0101", "310"), "twice"),
        (ROW.replace(";1;", ";{3CCB9848-0000-4000-8000-000000000000};"), "register '{3CCB9848"),
        (ROW.replace(";1;", ";2;"), "there are 1 to 1"),
        (ROW.replace("10:00:00", "10:30:00"), "'10:30:00' is not an hour"),
        (ROW.replace("2026-11-02", "02-11-2026"), "02-11-2026"),
        (ROW + ";0", "13 columns instead of 12"),
    ],
)
def test_a_file_with_one_wrong_row_is_refused_whole(client: Client, row: str, said: str) -> None:
    samesystem = client.sandbox.samesystem
    good = ROW.replace("0101", "310")
    done = samesystem.nights.import_file(file_of(good, row))
    assert done.refusal is not None
    assert done.refusal.startswith("line 3: ")
    assert said in done.refusal
    assert (done.taken, samesystem.state.writes) == ([], [])


def test_files_that_cannot_be_read(client: Client) -> None:
    nights = client.sandbox.samesystem.nights
    assert "columns" in str(nights.import_file(b"").refusal)
    assert "columns" in str(nights.import_file(file_of(ROW, header=HEADER.replace(";", ","))).refusal)
    assert "UTF-8" in str(nights.import_file("Försäljning".encode("latin-1")).refusal)


def test_registers_may_be_left_out_where_there_is_only_one(client: Client) -> None:
    nights = client.sandbox.samesystem.nights
    header, row = HEADER.replace("Register Id;", ""), ROW.replace(";1;", ";", 1)
    assert nights.import_file(file_of(row, header=header)).taken
    assert "register None" in str(nights.import_file(file_of(row.replace("0101", "0102"), header=header)).refusal)


def test_files_wait_for_the_import_at_two_and_days_are_confirmed_at_five(client: Client, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 2, 22, tzinfo=UTC)
    client.login()
    samesystem = client.sandbox.samesystem
    samesystem.nights.confirms = True
    samesystem.nights.receive(file_of(ROW))
    clock.now = datetime(2026, 11, 3, 0, 59, tzinfo=UTC)
    client.login()
    assert samesystem.state.shown("0101", DAY) == {1: {}}
    clock.advance(minutes=1)  # 02:00 in Stockholm
    client.login()
    assert samesystem.state.shown("0101", DAY)[1]["Gross sales"] == Decimal("1543.20")
    client.save("2026-11-03", FULL)
    clock.now = datetime(2026, 11, 3, 3, 59, tzinfo=UTC)
    client.login()
    assert samesystem.state.used("0101", DAY) is None
    clock.advance(minutes=1)
    client.login()
    used = samesystem.state.used("0101", DAY)
    assert used is not None
    assert used["Visitors"] == 3
    confirmed = client.week(MONDAY)["registers"][0]["confirmed"]  # the day itself is not over, and stays open
    assert confirmed == {MONDAY: {"datetime": "2026-11-03 05:00:00", "user": "Auto confirm"}}


def test_a_night_comes_once(client: Client, clock: Clock) -> None:
    clock.now = datetime(2026, 11, 3, 3, tzinfo=UTC)
    client.login()
    client.sandbox.samesystem.nights.confirms = True
    clock.advance(hours=1)  # 05:00 in Stockholm
    client.login()
    assert client.save(MONDAY, FULL).status_code == 200
    clock.advance(minutes=1)
    client.login()
    assert not client.sandbox.samesystem.state.is_confirmed("0101", DAY)
    clock.advance(days=1)
    client.login()
    assert client.sandbox.samesystem.state.is_confirmed("0101", DAY)


def test_a_register_takes_no_figure_that_it_does_not_have(client: Client) -> None:
    samesystem = client.sandbox.samesystem
    row = ROW.replace("0101", "0102")
    assert len(samesystem.nights.import_file(file_of(row, row.replace(";1;", ";2;", 1))).taken) == 2
    shown = samesystem.state.shown("0102", DAY)
    assert [lines.get("Visitors") for lines in shown.values()] == [3, None]
    assert [lines.get("Transactions") for lines in shown.values()] == [7, 7]


def test_a_sandbox_that_nobody_asked_for_days_catches_up_in_order(client: Client, clock: Clock) -> None:
    client.login()
    samesystem = client.sandbox.samesystem
    samesystem.nights.confirms = True
    client.save(MONDAY, {"Gross sales": 1}, dpt_no="0102")  # lacks a mandatory figure
    samesystem.nights.receive(file_of(ROW))
    clock.advance(days=3)
    client.login()
    assert samesystem.state.is_confirmed("0101", DAY)
    assert not samesystem.state.is_confirmed("0102", DAY, 1)
    assert [(write.action, write.dpt_no, write.user) for write in samesystem.state.writes[1:]] == [
        ("save", "0101", "Import"),
        ("confirm", "0101", "Auto confirm"),
    ]


def test_the_import_passes_over_what_is_confirmed_or_approved_unless_told_otherwise(client: Client) -> None:
    client.login()
    samesystem = client.sandbox.samesystem
    client.save(MONDAY, {**FULL, "Bank person": "Eva"}, comments="Fine")
    client.confirm_week()
    client.act("approve_week", MONDAY)
    done = samesystem.nights.import_file(file_of(ROW))
    assert (done.taken, done.passed_over) == ([], [samesystem.state.key("0101", DAY)])
    assert samesystem.state.shown("0101", DAY)[1]["Gross sales"] == Decimal("125.5")
    assert samesystem.nights.import_file(file_of(ROW), overwrite=True).taken
    shown = samesystem.state.shown("0101", DAY)[1]
    assert (shown["Gross sales"], shown["Bank person"]) == (Decimal("1543.20"), "Eva")
    assert not samesystem.state.is_approved("0101", DAY)


def test_a_second_file_replaces_the_hours_of_its_days(client: Client) -> None:
    nights, state = client.sandbox.samesystem.nights, client.sandbox.samesystem.state
    nights.import_file(file_of(ROW, ROW.replace("10:00:00", "11:00:00")))
    assert state.shown("0101", DAY)[1]["Transactions"] == 14
    nights.import_file(file_of(ROW))
    assert state.shown("0101", DAY)[1]["Transactions"] == 7
    before = state.snapshot()
    nights.import_file(file_of(ROW))
    assert state.snapshot() == before
