"""Departments, fields and tills: what fits, what is missing, and how it is told."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from decimal import Decimal

import polars as pl
import pytest

from sitoo_pipeline.sinks.samesystem_fields import Field, FieldsError, map_fields
from sitoo_pipeline.sinks.samesystem_prepare import prepare_store_days
from sitoo_pipeline.sinks.samesystem_records import TillsDifferError, number_tills
from sitoo_pipeline_tests.sinks.samesystem import MONDAY, TUESDAY, Chain, balance, register_sales

NAMES = ["gross sales", "NET SALES", "Discounts", "Returns", "Transactions", "Number of goods sold"]
NAMES += ["Number of returned goods", "Visitors"]
FIELDS = [Field(number, name, f"A{number}", "number", is_calculated=False) for number, name in enumerate(NAMES, 1)]
BY_NAME = dict(zip(["gross_sales", "net_sales", "discounts", "returns"], range(1, 5), strict=True))
BY_NAME |= dict(zip(["transactions", "goods_sold", "goods_returned", "visitors"], range(5, 9), strict=True))


def test_fields_are_found_by_name_code_or_id() -> None:
    assert map_fields(FIELDS, {}, department="0101") == BY_NAME
    more = [*FIELDS, Field(9, "Turnover", "T", "number", is_calculated=False)]
    assert map_fields(more, {"gross_sales": "t"}, department="0101")["gross_sales"] == 9
    assert map_fields(more, {"gross_sales": "TURNOVER"}, department="0101")["gross_sales"] == 9
    assert map_fields(more, {"gross_sales": 9}, department="0101")["gross_sales"] == 9
    assert "returns" not in map_fields(FIELDS, {"returns": ""}, department="0101")
    assert "visitors" not in map_fields(FIELDS[:-1], {}, department="0101")


@pytest.mark.parametrize(
    ("fields", "said", "told"),
    [
        (FIELDS[1:], {}, "gross_sales goes to 'Gross Sales', which is not there"),
        (FIELDS[:-1], {"visitors": "Visitors"}, "visitors goes to 'Visitors', which is not there"),
        ([*FIELDS, replace(FIELDS[0], field_id=9)], {}, "gross_sales goes to 'Gross Sales', which is there 2"),
        ([replace(FIELDS[0], is_calculated=True), *FIELDS[1:]], {}, "which SameSystem calculates itself"),
        ([replace(FIELDS[0], kind="text"), *FIELDS[1:]], {}, "which is of the type text"),
        (FIELDS, {"gross_sales": "A2"}, "gross_sales and net_sales go to one field"),
    ],
)
def test_a_field_that_does_not_fit_is_named(fields: list[Field], said: dict[str, str | int], told: str) -> None:
    with pytest.raises(FieldsError) as raised:
        map_fields(fields, said, department="0101 (Nordstan)")
    assert str(raised.value).startswith("department 0101 (Nordstan): ")
    assert told in str(raised.value)
    assert "Returns (code A4)" in str(raised.value)


def test_a_department_whose_fields_do_not_fit_keeps_no_other_from_its_day(chain: Chain) -> None:
    chain.settings["fields"] = {"gross_sales": "A1"}
    department = chain.books.department("0101")
    department.fields = tuple(replace(one, code="X") if one.code == "A1" else one for one in department.fields)
    report = chain.hand({**chain.day("0101", "1.00"), **chain.day("0102", "1.00", "2.00")})
    assert (report.delivered, report.retry, report.failed) == (1, 1, True)
    assert "department 0101 (" in report.messages[-1]
    assert "gross_sales goes to 'A1', which is not there" in report.messages[-1]


def test_a_store_without_a_department_is_left_out_with_its_amount(chain: Chain) -> None:
    chain.books.department("0101").dpt_no = "0999"
    report = chain.hand({**chain.day("0101", "7.00"), **chain.day("0102", "1.00", "2.00")})
    assert (report.delivered, report.failed) == (1, False)
    assert report.messages == (
        f"{MONDAY} store 0101: 7.00 SEK left out of SameSystem: no department has its number (dpt_no)",
    )


def test_departments_can_be_named_in_the_settings(chain: Chain) -> None:
    department = chain.books.department("0101")
    department.dpt_no = None
    chain.access["ctx_tokens"] = {"0101": department.ctx_token}
    assert chain.hand(chain.day("0101", "7.00")).delivered == 1
    assert not [path for _, path, _ in chain.sandbox.requests if path.endswith("/departments")]


def test_two_departments_with_one_number_are_not_guessed_at(chain: Chain) -> None:
    chain.books.department("0203").dpt_no = "0101"
    report = chain.hand(chain.day("0101", "7.00"))
    assert (report.retry, report.messages) == (1, ("1 x retry: store 0101: 2 departments have it",))


@pytest.mark.parametrize("is_listed", [True, False])
def test_a_token_for_each_department(chain: Chain, is_listed: bool) -> None:
    chain.access["by_department"] = True
    if is_listed:
        chain.access["ctx_tokens"] = {no: chain.books.department(no).ctx_token for no in ("0101", "0102")}
    report = chain.hand({**chain.day("0101", "1.00"), **chain.day("0102", "1.00", "2.00")})
    assert report.delivered == 2
    asked = [path.rsplit("/api/v1/", 1)[1] for _, path, _ in chain.sandbox.requests]
    logins = [path for path in asked if "log" in path or "oauth" in path]
    of_user = [] if is_listed else ["login", "logout"]
    of_departments = [f"{chain.books.department(number).ctx_token}/oauth/token" for number in ("0101", "0102")]
    assert sorted(logins) == sorted([*of_user, *of_departments])


def test_a_department_that_refuses_the_login_stops_no_other(chain: Chain) -> None:
    chain.access |= {"by_department": True}
    chain.access["ctx_tokens"] = {"0101": "c1d1", "0102": chain.books.department("0102").ctx_token}
    report = chain.hand({**chain.day("0101", "1.00"), **chain.day("0102", "1.00", "2.00")})
    assert (report.delivered, report.retry) == (1, 1)
    assert "refused the login to the department c1d1" in report.messages[-1]


def test_it_logs_out(chain: Chain) -> None:
    chain.hand(chain.day("0101", "1.00"))
    assert chain.sandbox.requests[-1][1].endswith("/logout")


def test_tills_are_numbered_once_and_for_ever() -> None:
    first = number_tills({}, [("1", "{C}", None), ("1", "{B}", "K1"), ("1", "{A}", "K2"), ("2", "{D}", "K3")])
    assert first == {("1", "{B}"): 1, ("1", "{A}"): 2, ("1", "{C}"): 3, ("2", "{D}"): 1}
    later = number_tills(first, [("1", "{A}", "K2"), ("1", "{0}", "K0")])
    assert later == {("1", "{0}"): 4}  # and never that of a till that is gone


def test_a_till_keeps_its_number_when_others_go(chain: Chain) -> None:
    tills = [(chain.till("310", number), f"{number}.00") for number in (1, 2, 3)]
    chain.hand({(MONDAY, "310"): tills})
    chain.tills = lambda: type(chain).tills(chain).head(0)  # type: ignore[method-assign]
    chain.hand({(TUESDAY, "310"): tills[2:]})
    assert chain.gross("310", TUESDAY) == [0, 0, Decimal(3)]


def test_sales_that_no_register_made_show_that_the_tables_do_not_fit(chain: Chain) -> None:
    with chain.open() as target, pytest.raises(TillsDifferError, match=f"differ for store 0102 on {MONDAY}"):
        prepare_store_days(
            target,
            balance=balance(chain.day("0102", "100.00", "30.00")),
            registers=register_sales(chain.day("0102", "100.00")),
            tills=chain.tills(),
            stores=chain.stores(),
        )


def test_a_store_held_back_is_left_out(chain: Chain) -> None:
    report = chain.hand({**chain.day("0101", "1.00"), **chain.day("0102", "1.00", "2.00")}, held={MONDAY: {"0101"}})
    assert [change.key for change in report.changes] == [f"0102/{MONDAY}"]


def test_a_store_whose_sales_turn_out_to_be_another_store_s_gets_zeros(chain: Chain) -> None:
    chain.hand({**chain.day("0101", "1.00"), **chain.day("0102", "2.00", "3.00")})
    held = chain.hand(chain.day("0101", "6.00"), is_whole=True, held={MONDAY: {"0102"}})
    assert [change.key for change in held.changes] == [f"0101/{MONDAY}"]
    assert chain.gross("0102") == [Decimal(2), Decimal(3)]
    report = chain.hand(chain.day("0101", "6.00"), is_whole=True)
    assert [change.key for change in report.changes] == [f"0102/{MONDAY}"]
    assert (chain.gross("0101"), chain.gross("0102")) == ([Decimal(6)], [Decimal(0), Decimal(0)])
    assert chain.hand(chain.day("0101", "6.00"), is_whole=True).planned == 0


def test_a_dry_run_says_what_would_change_and_changes_nothing(chain: Chain) -> None:
    report = chain.hand(chain.day("0101", "125.50"), dry_run=True)
    assert report.changes[0].details[0] == "register 1 Gross sales: - -> 125.50"
    assert report.changes[0].details[-2:] == ("register 1: save", "register 1: confirm")
    with sqlite3.connect(chain.folder / "deliveries.db") as file:
        tables = {name for (name,) in file.execute("SELECT name FROM sqlite_master")}
    assert not {name for name in tables if name.startswith(("samesystem", "register"))}
    chain.hand(chain.day("0101", "125.50"))
    chain.posts()
    report = chain.hand(chain.day("0101", "130.00"), dry_run=True)
    assert "register 1 Gross sales: 125.5 -> 130.00" in report.changes[0].details
    assert chain.posts() == []


def test_another_currency_is_left_out_with_its_amount(chain: Chain) -> None:

    euros = balance(chain.day("0101", "9.00")).with_columns(currency=pl.lit("EUR"))
    with chain.open() as target:
        prepared = prepare_store_days(
            target,
            balance=pl.concat([balance(chain.day("0101", "5.00")), euros]),
            registers=register_sales(chain.day("0101", "5.00")),
            tills=chain.tills(),
            stores=chain.stores(),
        )
    assert prepared.messages == (
        f"{MONDAY} store 0101: 9.00 EUR left out of SameSystem: the store's own currency is SEK",
    )
    assert prepared.records[0].payload["registers"]["1"]["gross_sales"] == "5.00"
