"""The settings of the CSV: what a client of SameSystem may want otherwise, and that no sale is lost by any of it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from sitoo_pipeline.sinks import Ledger, NotReadError
from sitoo_pipeline.sinks.weekly_balance_csv import WeeklyBalanceCsv
from sitoo_pipeline.sinks.weekly_balance_files import WeeklyBalanceFiles
from sitoo_pipeline.sinks.weekly_balance_layout import CsvFormat
from sitoo_pipeline_tests.sinks.frames import DAY, store_day
from sitoo_pipeline_tests.sinks.test_weekly_balance_csv import HEADER, HOME, folder_of, hand

SOLD = store_day(
    {10: "1543.20"},
    net_sales=Decimal("1234.56"),
    discounts=Decimal("1025.00"),
    returns=Decimal("99.00"),
    transactions=7,
    goods_sold=11,
    goods_returned=1,
)
FILE = "2024-05-02.csv"


def ten(folder: Path, **layout: Any) -> str:
    """The line of ten o'clock."""
    files = WeeklyBalanceFiles(folder, home_currency=HOME, csv_format=CsvFormat(**layout))
    [[file], _] = files.make(SOLD, account="acme", dates=[DAY])
    return next(line for line in file.text.splitlines() if ";10:00:00;" in line)


@pytest.mark.parametrize(
    ("layout", "line"),
    [
        ({}, "1122;1;2024-05-02;10:00:00;1.234,56;1.543,20;1.025,00;99,00;7;11;1;0"),
        ({"gross_with_vat": False}, "1122;1;2024-05-02;10:00:00;1.234,56;1.234,56;1.025,00;99,00;7;11;1;0"),
        ({"net_with_vat": True}, "1122;1;2024-05-02;10:00:00;1.543,20;1.543,20;1.025,00;99,00;7;11;1;0"),
        (
            {"net_with_vat": True, "gross_with_vat": False},
            "1122;1;2024-05-02;10:00:00;1.543,20;1.234,56;1.025,00;99,00;7;11;1;0",
        ),
        ({"negative": frozenset({"returns"})}, "1122;1;2024-05-02;10:00:00;1.234,56;1.543,20;1.025,00;-99,00;7;11;1;0"),
        (
            {"negative": frozenset({"returns", "discounts"})},
            "1122;1;2024-05-02;10:00:00;1.234,56;1.543,20;-1.025,00;-99,00;7;11;1;0",
        ),
        ({"register_id": None}, "1122;2024-05-02;10:00:00;1.234,56;1.543,20;1.025,00;99,00;7;11;1;0"),
    ],
)
def test_what_a_line_says(tmp_path: Path, layout: dict[str, Any], line: str) -> None:
    assert ten(tmp_path, **layout) == line


def test_nothing_has_no_sign(tmp_path: Path, ledger: Ledger) -> None:
    negative = CsvFormat(negative=frozenset({"returns", "discounts"}))
    hand(tmp_path, ledger, store_day({}), csv_format=negative)
    assert "-0," not in (tmp_path / FILE).read_text()


def test_only_returns_and_discounts_have_a_sign_to_choose() -> None:
    with pytest.raises(ValueError, match="only returns and discounts"):
        CsvFormat(negative=frozenset({"net_sales"}))


def test_titles_follow_the_columns_and_may_be_left_out(tmp_path: Path, ledger: Ledger) -> None:
    hand(tmp_path, ledger, SOLD, csv_format=CsvFormat(register_id=None))
    assert (tmp_path / FILE).read_text().splitlines()[0] == HEADER.replace("Register Id;", "")
    hand(tmp_path, ledger, SOLD, csv_format=CsvFormat(header=False))
    lines = (tmp_path / FILE).read_text().splitlines()
    assert len(lines) == 24
    assert lines[0].startswith("1122;1;2024-05-02;00:00:00;")


@pytest.mark.parametrize(("encoding", "first"), [("utf-8-sig", b"\xef\xbb\xbfDep"), ("windows-1252", b"Dep")])
def test_another_encoding_rewrites_the_file(tmp_path: Path, ledger: Ledger, encoding: str, first: bytes) -> None:
    sold = store_day({10: "5.00"}, store="Ö1")
    hand(tmp_path, ledger, sold)
    before = (tmp_path / FILE).read_bytes()
    other = CsvFormat(encoding=encoding)
    assert hand(tmp_path, ledger, sold, csv_format=other).counts["written"] == 1
    after = (tmp_path / FILE).read_bytes()
    assert after.startswith(first)
    assert after != before
    assert after.decode(encoding) == before.decode()
    assert hand(tmp_path, ledger, sold, csv_format=other).unchanged == 1
    assert hand(tmp_path, ledger, sold, csv_format=replace(other, header=False)).counts["written"] == 1


def test_a_store_that_the_encoding_has_no_character_for(tmp_path: Path, ledger: Ledger) -> None:
    latin = CsvFormat(encoding="iso-8859-1")
    report = hand(tmp_path, ledger, store_day({10: "5.00"}, store="\u0141"), csv_format=latin)
    assert (report.rejected, list(tmp_path.glob("*.csv*"))) == (1, [])
    assert (
        "'\u0141' of a store's id cannot be written in the encoding of the settings: set it to utf-8"
        in report.messages[0]
    )


def shut_on_thursday(store_id: str, day: date) -> Collection[int]:
    if store_id == "77" and day.weekday() == DAY.weekday():
        return ()
    return range(9, 12)


def hours_of(folder: Path) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for line in (folder / FILE).read_text().splitlines()[1:]:
        store, _, _, hour, *_ = line.split(";")
        found.setdefault(store, []).append(int(hour[:2]))
    return found


def test_opening_hours_are_filled_and_others_left_out(tmp_path: Path, ledger: Ledger) -> None:
    frames = pl.concat([store_day({10: "5.00"}), store_day({}, store="77")])
    report = hand(tmp_path, ledger, frames, open_hours=shut_on_thursday)
    assert hours_of(tmp_path) == {"1122": [9, 10, 11]}
    assert report.messages == ()


def test_sales_outside_opening_hours_are_written_with_a_warning(tmp_path: Path, ledger: Ledger) -> None:
    frames = pl.concat([store_day({3: "5.00", 10: "1.00", 23: "7.00"}), store_day({10: "6.00"}, store="77")])
    report = hand(tmp_path, ledger, frames, open_hours=shut_on_thursday)
    assert hours_of(tmp_path) == {"1122": [3, 9, 10, 11, 23], "77": [10]}
    assert [message.split(";")[0] for message in report.messages] == [
        "2024-05-02 store 1122: sales outside its opening hours, at 03:00, 23:00",
        "2024-05-02 store 77: sales outside its opening hours, at 10:00",
    ]
    written = [line.split(";")[5] for line in (tmp_path / FILE).read_text().splitlines()[1:]]
    assert sum(Decimal(gross.replace(",", ".")) for gross in written) == Decimal("19.00")


def test_a_return_alone_is_something_that_happened(tmp_path: Path, ledger: Ledger) -> None:
    refund = store_day({}).with_columns(
        returns=pl.when(pl.col("hour") == 22).then(Decimal("9.00")).otherwise("returns")
    )
    assert len(hand(tmp_path, ledger, refund, open_hours=shut_on_thursday).messages) == 1
    assert hours_of(tmp_path) == {"1122": [9, 10, 11, 22]}


def test_a_held_store_keeps_the_hours_that_it_has(tmp_path: Path, ledger: Ledger) -> None:
    target = folder_of(tmp_path, open_hours=shut_on_thursday)
    first = target.prepare(store_day({10: "5.00", 23: "6.00"}), account="acme", dates=[DAY]).records
    held = {DAY: {"1122"}}
    [before] = target.prepare(store_day({10: "8.00"}), account="acme", dates=[DAY], held=held).records
    target.send(first)
    [after] = target.prepare(store_day({10: "8.00"}), account="acme", dates=[DAY], held=held).records
    assert (before.payload["text"], after.payload["text"]) == ("", first[0].payload["text"])


EMPTY = "1122;1;2024-05-02;11:00:00;0,00;0,00;0,00;0,00;0;0;0;0\n"


@pytest.mark.parametrize(("was", "by"), [("09:00:00", "08:30:00"), ("09:00:00", "10:00:00"), (EMPTY, 2 * EMPTY)])
def test_a_held_store_whose_hours_were_changed_by_hand_is_left_out(tmp_path: Path, was: str, by: str) -> None:
    target = folder_of(tmp_path, open_hours=shut_on_thursday)
    target.send(target.prepare(store_day({10: "5.00"}), account="acme", dates=[DAY]).records)
    (tmp_path / FILE).write_text((tmp_path / FILE).read_text().replace(was, by))
    [record] = target.prepare(store_day({10: "8.00"}), account="acme", dates=[DAY], held={DAY: {"1122"}}).records
    assert record.payload["text"] == ""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.suffix == ".csv")


def test_each_store_may_have_a_file_and_files_of_another_setting_go(tmp_path: Path, ledger: Ledger) -> None:
    frames = pl.concat(
        [store_day({10: "5.00"}), store_day({9: "6.00"}, store="a/b"), store_day({9: "7.00"}, store="unknown")]
    )
    (tmp_path / "2024-05-03_77.csv").write_text("another date's")
    (tmp_path / "2024-05-02_checked.csv").write_text("a person's")
    hand(tmp_path, ledger, frames)
    whole = (tmp_path / FILE).read_text().splitlines()
    report = hand(tmp_path, ledger, frames, by_store=True)
    assert names(tmp_path) == [
        "2024-05-02_1122.csv",
        "2024-05-02_a%2Fb.csv",
        "2024-05-02_checked.csv",
        "2024-05-03_77.csv",
    ]
    parts = [(tmp_path / f"2024-05-02_{name}.csv").read_text().splitlines() for name in ("1122", "a%2Fb")]
    assert [*parts[0], *parts[1][1:]] == whole
    assert (report.delivered, report.counts) == (3, {"written": 2, "unchanged": 0, "deleted": 1})
    assert ledger.left_out("acme", WeeklyBalanceCsv.name, [DAY]) == {DAY: ["store unknown (SEK); there is no file"]}
    assert hand(tmp_path, ledger, frames, by_store=True).planned == 0
    assert hand(tmp_path, ledger, frames).counts == {"written": 1, "unchanged": 0, "deleted": 2}
    assert names(tmp_path) == [FILE, "2024-05-02_checked.csv", "2024-05-03_77.csv"]
    assert hand(tmp_path, ledger, frames).planned == 0


def test_a_correction_writes_the_file_of_its_store(tmp_path: Path, ledger: Ledger) -> None:
    other = store_day({9: "6.00"}, store="77")
    hand(tmp_path, ledger, pl.concat([store_day({10: "5.00"}), other]), by_store=True)
    report = hand(tmp_path, ledger, pl.concat([store_day({10: "5.10"}), other]), by_store=True)
    assert [change.key for change in report.changes] == ["2024-05-02_1122"]
    gone = hand(tmp_path, ledger, other, by_store=True)
    assert (gone.counts["deleted"], names(tmp_path)) == (1, ["2024-05-02_77.csv"])
    target = folder_of(tmp_path, by_store=True)
    _, record = target.prepare(
        store_day({9: "9.00"}, store="77"), account="acme", dates=[DAY], held={DAY: {"77"}}
    ).records
    assert ";6,00;" in record.payload["text"]
    assert record.left_out == "store 77 (held back)"


def test_what_would_change_is_told_line_by_line(tmp_path: Path, ledger: Ledger) -> None:
    latin = CsvFormat(encoding="iso-8859-1")
    hand(tmp_path, ledger, store_day({10: "5.00"}, store="Ö1"), csv_format=latin)
    target = folder_of(tmp_path, csv_format=latin)
    [record] = target.prepare(store_day({10: "5.10"}, store="Ö1"), account="acme", dates=[DAY]).records
    assert [line[:25] for line in target.difference(record)] == [
        "-Ö1;1;2024-05-02;10:00:00",
        "+Ö1;1;2024-05-02;10:00:00",
    ]
    (tmp_path / FILE).unlink()
    (tmp_path / FILE).mkdir()
    with pytest.raises(NotReadError, match=r"2024-05-02\.csv cannot be read \(IsADirectoryError\)"):
        target.difference(record)


def test_a_file_in_another_encoding_is_replaced_as_a_whole(tmp_path: Path, ledger: Ledger) -> None:
    hand(tmp_path, ledger, store_day({10: "5.00"}, store="Ö1"), csv_format=CsvFormat(encoding="iso-8859-1"))
    target = folder_of(tmp_path)
    [record] = target.prepare(store_day({10: "5.00"}, store="Ö1"), account="acme", dates=[DAY]).records
    assert target.difference(record) == ["the file is in another encoding, and would be replaced as a whole"]
