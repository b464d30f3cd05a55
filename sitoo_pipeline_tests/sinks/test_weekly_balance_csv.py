"""Weekly balance as CSV: the bytes, what is left out, and what is not written again."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline.sinks import Ledger, Report, State, deliver
from sitoo_pipeline.sinks.weekly_balance_csv import WeeklyBalanceCsv
from sitoo_pipeline.sinks.weekly_balance_files import OpenHours, WeeklyBalanceFiles, whole_day
from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat
from sitoo_pipeline_tests.sinks.frames import DAY, NEXT_DAY, store_day

HEADER = (
    "Department Id;Register Id;Date;Hour;Net Sales;Gross Sales;Discounts;Returns;"
    "Transactions;Number of goods sold;Number of returned goods;Visitors"
)
HOME = {"1122": "SEK", "77": "SEK"}


def folder_of(
    folder: Path, *, home: Mapping[str, str] = HOME, csv_format: CsvFormat | None = None, **how: Any
) -> WeeklyBalanceCsv:
    return WeeklyBalanceCsv(WeeklyBalanceFiles(folder, home_currency=home, csv_format=csv_format or CsvFormat(), **how))


def hand(
    folder: Path,
    ledger: Ledger,
    frame: pl.DataFrame,
    *,
    home: Mapping[str, str] = HOME,
    csv_format: CsvFormat | None = None,
    open_hours: OpenHours = whole_day,
    by_store: bool = False,
    **how: Any,
) -> Report:
    target = folder_of(folder, home=home, csv_format=csv_format, open_hours=open_hours, by_store=by_store)
    known = ledger.keys("acme", WeeklyBalanceCsv.name, [DAY])
    prepared = target.prepare(frame, account="acme", dates=[DAY], known=known)
    how = {"records": prepared.records, "messages": prepared.messages, "run_id": "r", **how}
    return deliver(target=target, ledger=ledger, account="acme", **how)


def lines_of(folder: Path) -> list[str]:
    text = (folder / "2024-05-02.csv").read_bytes().decode()
    assert text.endswith("\n")
    assert "\r" not in text
    return text.removesuffix("\n").split("\n")


def test_the_file_has_exactly_these_bytes(tmp_path: Path, ledger: Ledger) -> None:
    sold = store_day(
        {10: "1543.20", 12: "1234567.89"},
        net_sales=Decimal("1234.56"),
        discounts=Decimal("25.00"),
        returns=Decimal("99.00"),
        transactions=7,
        goods_sold=1100,
        goods_returned=1,
        visitors=12,
    )
    report = hand(tmp_path, ledger, sold)
    empty = "0,00;0,00;0,00;0,00;0;0;0;0"
    expected = [f"1122;1;2024-05-02;{hour:02}:00:00;{empty}" for hour in range(24)]
    expected[10] = "1122;1;2024-05-02;10:00:00;1.234,56;1.543,20;25,00;99,00;7;1100;1;12"
    expected[12] = "1122;1;2024-05-02;12:00:00;1.234,56;1.234.567,89;25,00;99,00;7;1100;1;12"
    assert (tmp_path / "2024-05-02.csv").read_bytes() == ("\n".join([HEADER, *expected]) + "\n").encode()
    assert [path.name for path in tmp_path.glob("*.csv*")] == ["2024-05-02.csv"]
    assert (report.delivered, report.counts["written"], report.messages) == (1, 1, ())


def test_stores_and_hours_are_in_order_whatever_the_order_of_the_rows(tmp_path: Path, ledger: Ledger) -> None:
    frame = pl.concat([store_day({9: "1.00"}, store="77").reverse(), store_day({8: "2.00"})])
    hand(tmp_path, ledger, frame)
    found = [tuple(line.split(";")[0:4:3]) for line in lines_of(tmp_path)[1:]]
    assert found == [(store, f"{hour:02}:00:00") for store in ("1122", "77") for hour in range(24)]


def test_identical_figures_leave_the_file_alone(tmp_path: Path, ledger: Ledger) -> None:
    frame = store_day({10: "5.00"})
    hand(tmp_path, ledger, frame)
    before = (tmp_path / "2024-05-02.csv").stat()
    assert hand(tmp_path, ledger, frame.reverse()).unchanged == 1
    assert hand(tmp_path, ledger, frame, force=True).counts["written"] == 0
    after = (tmp_path / "2024-05-02.csv").stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


@pytest.mark.parametrize("damage", [None, b"edited by hand\n"])
def test_a_file_that_was_lost_or_edited_is_written_again(tmp_path: Path, ledger: Ledger, damage: bytes | None) -> None:
    frame, path = store_day({10: "5.00"}), tmp_path / "2024-05-02.csv"
    hand(tmp_path, ledger, frame)
    before = path.read_bytes()
    path.unlink() if damage is None else path.write_bytes(damage)
    assert [change.reason for change in hand(tmp_path, ledger, frame).changes] == ["missing or different at the target"]
    assert path.read_bytes() == before


def test_a_file_that_cannot_be_read_is_left_as_it_was_delivered(tmp_path: Path, ledger: Ledger) -> None:
    frame, path = store_day({10: "5.00"}), tmp_path / "2024-05-02.csv"
    hand(tmp_path, ledger, frame)
    path.unlink()
    path.mkdir()
    report = hand(tmp_path, ledger, frame)
    assert (report.unsure, report.planned, report.failed) == (1, 0, True)
    assert "the file 2024-05-02.csv cannot be read (IsADirectoryError)" in report.messages[-1]
    assert ledger.counts("acme", WeeklyBalanceCsv.name, [DAY]) == {DAY: {State.DELIVERED: 1}}
    path.rmdir()
    assert hand(tmp_path, ledger, frame).delivered == 1


def test_a_correction_rewrites_the_file(tmp_path: Path, ledger: Ledger) -> None:
    hand(tmp_path, ledger, store_day({10: "5.00"}))
    assert [change.reason for change in hand(tmp_path, ledger, store_day({10: "5.10"})).changes] == ["changed"]
    assert ";5,10;" in lines_of(tmp_path)[11]


def test_another_currency_is_left_out_with_a_warning(tmp_path: Path, ledger: Ledger) -> None:
    euro = store_day({10: "12.50", 11: "1000.00"}, currency="EUR")
    report = hand(
        tmp_path, ledger, pl.concat([store_day({10: "5.00"}), euro, store_day({}, store="77", currency="EUR")])
    )
    assert len(lines_of(tmp_path)) == 1 + 24 + 24
    assert ";5,00;" in lines_of(tmp_path)[11]
    (message,) = report.messages
    assert all(word in message for word in ("2024-05-02", "1122", "EUR", "1012.50", "SEK"))


def test_a_store_that_sold_in_another_currency_only_still_has_24_hours(tmp_path: Path, ledger: Ledger) -> None:
    report = hand(tmp_path, ledger, store_day({10: "12.50"}, currency="EUR"))
    assert [line.split(";", 4)[4] for line in lines_of(tmp_path)[1:]] == ["0,00;0,00;0,00;0,00;0;0;0;0"] * 24
    assert len(report.messages) == 1


def test_the_unknown_store_is_left_out_with_a_warning(tmp_path: Path, ledger: Ledger) -> None:
    report = hand(tmp_path, ledger, pl.concat([store_day({9: "3.00"}, store="unknown"), store_day({10: "5.00"})]))
    assert {line.split(";")[0] for line in lines_of(tmp_path)[1:]} == {"1122"}
    assert "unknown" in report.messages[0]
    assert "3.00 SEK" in report.messages[0]


def test_the_ledger_keeps_what_was_left_out_and_follows_it_while_the_file_stays(tmp_path: Path, ledger: Ledger) -> None:
    def kept() -> dict[date, list[str]]:
        return ledger.left_out("acme", WeeklyBalanceCsv.name, [DAY])

    unknown, known = store_day({9: "3.00"}, store="unknown"), store_day({10: "5.00"})
    hand(tmp_path, ledger, unknown)
    assert kept() == {DAY: ["store unknown (SEK); there is no file"]}
    hand(tmp_path, ledger, pl.concat([unknown, known]))
    assert kept() == {DAY: ["store unknown (SEK)"]}
    hand(tmp_path, ledger, pl.concat([unknown, known, store_day({9: "1.00"}, currency="EUR")]))
    assert kept() == {DAY: ["store 1122 (EUR), store unknown (SEK)"]}
    [before] = ledger.of("acme", WeeklyBalanceCsv.name, [str(DAY)]).values()
    report = hand(tmp_path, ledger, known)
    assert (report.unchanged, report.planned, kept()) == (1, 0, {})
    hand(tmp_path, ledger, known)
    [after] = ledger.of("acme", WeeklyBalanceCsv.name, [str(DAY)]).values()
    assert (before.content_hash, before.state) == (after.content_hash, after.state)


def test_many_stores_that_are_left_out_are_named_shortly_and_always_alike(tmp_path: Path, ledger: Ledger) -> None:
    euros = pl.concat([store_day({9: "1.00"}, store=f"{number}" * 90, currency="EUR") for number in range(1, 9)])
    home = dict.fromkeys(euros["store_id"], "SEK")
    hand(tmp_path, ledger, euros, home=home)
    [first] = ledger.of("acme", WeeklyBalanceCsv.name, [str(DAY)]).values()
    assert first.left_out.count("store ") == 4
    assert first.left_out.endswith(" and 4 more")
    hand(tmp_path, ledger, euros, home=home)
    assert ledger.of("acme", WeeklyBalanceCsv.name, [str(DAY)]) == {str(DAY): first}


def test_a_store_without_a_home_currency_has_that_of_its_only_rows(tmp_path: Path, ledger: Ledger) -> None:
    report = hand(tmp_path, ledger, store_day({9: "3.00"}), home={})
    assert (len(lines_of(tmp_path)), report.messages) == (25, ())
    both = pl.concat([store_day({9: "3.00"}), store_day({9: "4.00"}, currency="EUR")])
    report = hand(tmp_path, ledger, both, home={})
    assert not (tmp_path / "2024-05-02.csv").exists()
    assert len(report.messages) == 2


def test_other_dates_and_accounts_stay_out(tmp_path: Path, ledger: Ledger) -> None:
    other = store_day({9: "9.00"}, store="77").with_columns(account=pl.lit("beta"))
    hand(tmp_path, ledger, pl.concat([store_day({9: "3.00"}), store_day({9: "3.00"}, day=NEXT_DAY), other]))
    assert len(lines_of(tmp_path)) == 25
    assert [path.name for path in tmp_path.glob("*.csv")] == ["2024-05-02.csv"]


def test_a_date_without_stores_has_no_file(tmp_path: Path, ledger: Ledger) -> None:
    empty = store_day({}).clear()
    assert hand(tmp_path, ledger, empty).failed is False
    assert not (tmp_path / "2024-05-02.csv").exists()
    hand(tmp_path, ledger, store_day({9: "3.00"}))
    assert hand(tmp_path, ledger, empty).counts["deleted"] == 1
    assert not (tmp_path / "2024-05-02.csv").exists()


def test_the_format_is_a_setting(tmp_path: Path, ledger: Ledger) -> None:
    chosen = CsvFormat(column="\t", decimal=".", thousands="", date_format="%d.%m.%y", register_id=2)
    hand(tmp_path, ledger, store_day({0: "1543.20"}, store="a\tb"), csv_format=chosen, home={})
    assert lines_of(tmp_path)[1].startswith('"a\tb"\t2\t02.05.24\t00:00:00\t1234.56\t1543.20\t0.00')


@pytest.mark.parametrize(
    "wrong",
    [
        {"column": ","},
        {"thousands": ","},
        {"column": "."},
        {"column": ""},
        {"decimal": ""},
        {"column": ";;"},
        {"decimal": "5"},
        {"thousands": "-"},
        {"column": '"'},
        {"column": ":"},
        {"register_id": 0},
    ],
)
def test_separators_that_could_be_mistaken_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"separator|register id"):
        CsvFormat(**wrong)


def test_a_folder_that_cannot_be_written_is_reported(tmp_path: Path, ledger: Ledger) -> None:
    (tmp_path / "file").write_text("in the way")
    report = hand(tmp_path / "file", ledger, store_day({9: "3.00"}))
    assert (report.retry, report.failed) == (1, True)
    assert "could not be written" in report.messages[0]


def hand_held(folder: Path, ledger: Ledger, first: str, second: str, held: set[str], **how: Any) -> Report:
    target = folder_of(folder, **how)
    frame = pl.concat([store_day({10: first}), store_day({10: second}, store="77")])
    prepared = target.prepare(frame, account="acme", dates=[DAY], held={DAY: held})
    return deliver(target=target, records=prepared.records, ledger=ledger, account="acme", run_id="r")


def at_ten(folder: Path) -> dict[str, str]:
    return {line.split(";")[0]: line.split(";")[5] for line in lines_of(folder) if ";10:00:00;" in line}


def test_a_held_store_keeps_the_lines_that_the_file_has(tmp_path: Path, ledger: Ledger) -> None:
    hand_held(tmp_path, ledger, "5.00", "1006.00", set())
    report = hand_held(tmp_path, ledger, "7.00", "8.00", {"77"})
    assert (report.delivered, at_ten(tmp_path)) == (1, {"1122": "7,00", "77": "1.006,00"})
    assert len(lines_of(tmp_path)) == 1 + 48
    assert hand_held(tmp_path, ledger, "7.00", "8.00", {"77"}).unchanged == 1
    hand_held(tmp_path, ledger, "7.00", "8.00", set())
    assert at_ten(tmp_path) == {"1122": "7,00", "77": "8,00"}


def test_a_held_store_without_earlier_lines_is_left_out(tmp_path: Path, ledger: Ledger) -> None:
    assert hand_held(tmp_path, ledger, "5.00", "6.00", {"77"}).delivered == 1
    assert at_ten(tmp_path) == {"1122": "5,00"}
    assert hand_held(tmp_path, ledger, "5.00", "6.00", {"77", "1122"}).unchanged == 1


@pytest.mark.parametrize(
    ("before", "after"),
    [("1.006,00", "1006,00"), ("1.006,00", "1.006,0"), ("2024-05-02;10", "2024-05-03;10"), ("1.006,00", "\0")],
)
def test_lines_of_a_held_store_that_are_not_in_the_format_are_not_kept(
    tmp_path: Path, ledger: Ledger, before: str, after: str
) -> None:
    hand_held(tmp_path, ledger, "5.00", "1006.00", set())
    path = tmp_path / "2024-05-02.csv"
    path.write_bytes(path.read_bytes().replace(before.encode(), after.encode()))
    hand_held(tmp_path, ledger, "5.00", "8.00", {"77"})
    assert at_ten(tmp_path) == {"1122": "5,00"}
