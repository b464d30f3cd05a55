"""SameSystem over HTTP: days that are saved, confirmed, corrected, held; and what is left alone."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from sitoo_pipeline.sandbox.samesystem_saving import Entry, Figures
from sitoo_pipeline.sinks.samesystem_prepare import prepare_store_days
from sitoo_pipeline_tests.sinks.samesystem import MONDAY, TUESDAY, WEEK, Chain, balance, register_sales


def test_a_day_is_saved_and_confirmed_and_counts(chain: Chain) -> None:
    report = chain.hand(chain.day("0101", "125.50"))
    assert (report.delivered, report.failed, report.messages) == (1, False, ())
    assert chain.books.used("0101", MONDAY) == {
        "Gross sales": Decimal("125.50"),
        "Net sales": Decimal("100.40"),
        "VAT": Decimal("25.10"),
        "Discounts": Decimal("12.55"),
        "Returns": Decimal("12.55"),
        "Transactions": 1,
        "Number of goods sold": 2,
        "Number of returned goods": 1,
        "Visitors": 0,
    }
    assert report.counts == {"saved": 1, "confirmed": 1, "reopened": 0, "weeks_reopened": 0, "late_corrections": 0}
    assert chain.answer("0101") == "registers: 1 saved, 1 confirmed"


def test_each_register_has_the_figures_of_its_till_and_an_idle_one_zeros(chain: Chain) -> None:
    chain.hand({**chain.day("0102", "100.00", "50.00"), **chain.day("310", "0", "80.00")})
    assert chain.gross("0102") == [Decimal(100), Decimal(50)]
    assert chain.gross("310") == [0, Decimal(80), 0]
    assert chain.books.is_confirmed("0102", MONDAY)
    assert chain.books.is_confirmed("310", MONDAY)
    assert "Visitors" not in chain.books.shown("0102", MONDAY)[2]


def test_a_department_with_one_balance_for_all_tills_gets_their_sum(chain: Chain) -> None:
    assert len(list(chain.books.department("0203").registers(MONDAY))) == 1
    chain.hand({(MONDAY, "0203"): [("{A}", "100.00"), ("{B}", "50.00")]})
    assert chain.gross("0203") == [Decimal(150)]
    assert "no register" not in chain.answer("0203")


def test_a_second_run_sends_nothing(chain: Chain) -> None:
    days = {**chain.day("0101", "125.50"), **chain.day("0102", "100.00", "50.00")}
    chain.hand(days)
    chain.posts()
    report = chain.hand(days)
    assert (report.planned, report.unchanged, chain.posts()) == (0, 2, [])


def test_a_correction_in_an_approved_week_changes_that_day_and_nothing_else(chain: Chain) -> None:
    chain.hand(chain.week("0102", "100.00", "50.00"))
    key = chain.books.key("0102", MONDAY, 2)
    staffed = dict(chain.books.figures(key).lines)
    bank = chain.books.department("0102").field_id
    staffed |= {bank("Bank person"): "Eva", bank("Transferred to bank"): Decimal("49.95")}
    entries = [Entry(1, "Paper", Decimal("2.5"))]
    staffed[bank("Expenses")] = Decimal("2.5")
    chain.books.unconfirm(key, "Eva")
    chain.books.save(key, Figures(staffed, "Float was short", entries, []), "Eva")
    chain.books.confirm(key, "Eva")
    chain.approve("0102")
    before = {(day, n): lines for day in WEEK for n, lines in chain.books.shown("0102", day).items()}
    report = chain.hand(chain.day("0102", "100.00", "51.00"))
    assert [action for action, _, _ in chain.actions()] == [
        "unapprove_week",
        "unconfirm",
        "save",
        "confirm",
        "approve_week",
    ]
    assert chain.books.is_approved("0102", MONDAY)
    after = {(day, n): lines for day in WEEK for n, lines in chain.books.shown("0102", day).items()}
    assert {at for at in after if after[at] != before[at]} == {(MONDAY, 2)}
    changed = {name for name, value in after[MONDAY, 2].items() if before[MONDAY, 2].get(name) != value}
    assert changed == {"Gross sales", "Net sales", "VAT", "Average purchase", "Discounts", "Returns", "Difference"}
    kept = chain.books.figures(key)
    assert (kept.comment, kept.expenses) == ("Float was short", entries)
    assert report.counts["late_corrections"] == report.counts["reopened"] == report.counts["weeks_reopened"] == 1
    assert chain.answer("0102").startswith("late correction: registers: 1 saved")


def test_a_correction_before_the_morning_is_not_late(chain: Chain) -> None:
    chain.settings["now"] = lambda: datetime(2026, 11, 3, 1, 30, tzinfo=UTC)  # half past two in Stockholm
    chain.hand(chain.day("0101", "125.50"))
    report = chain.hand(chain.day("0101", "130.00"))
    assert (report.counts["reopened"], report.counts["late_corrections"]) == (1, 0)


def test_a_day_is_confirmed_when_it_is_over(chain: Chain) -> None:
    chain.settings["now"] = lambda: datetime(2026, 11, 3, 0, 59, tzinfo=UTC)
    report = chain.hand(chain.day("0101", "125.50"))
    assert (report.delivered, chain.books.is_confirmed("0101", MONDAY)) == (1, False)
    assert "to be confirmed when the day is over" in chain.answer("0101")
    assert chain.hand(chain.day("0101", "125.50")).unchanged == 1
    chain.settings["now"] = lambda: datetime(2026, 11, 3, 1, 0, tzinfo=UTC)
    chain.actions()
    chain.hand(chain.day("0101", "125.50"))
    assert chain.actions() == [("confirm", str(MONDAY), 1)]


def test_figures_of_a_confirmed_day_are_held_where_nothing_may_be_reopened(chain: Chain) -> None:
    chain.hand(chain.week("0102", "100.00", "50.00"))
    chain.settings["overwrite_approved"] = False
    chain.actions()
    report = chain.hand(chain.day("0102", "100.00", "51.00"))
    assert (report.held, report.failed, chain.actions()) == (1, False, [])
    assert chain.answer("0102") == "the day is confirmed (register 2) with other figures, and overwrite_approved is off"
    chain.approve("0102")
    chain.hand(chain.day("0102", "99.00", "51.00"))
    assert chain.answer("0102").startswith("the week is approved (register 1, 2)")
    assert chain.hand(chain.day("0102", "100.00", "50.00")).unchanged == 1
    for register in (1, 2):
        chain.books.unapprove_week(chain.books.key("0102", MONDAY, register), "Office")
    chain.books.unconfirm(chain.books.key("0102", MONDAY, 2), "Office")
    assert chain.hand(chain.day("0102", "100.00", "51.00")).delivered == 1
    assert chain.books.is_confirmed("0102", MONDAY)


def test_a_day_that_is_not_to_be_confirmed_is_held_until_somebody_does(chain: Chain) -> None:
    chain.settings["confirm"] = False
    for _ in range(2):
        report = chain.hand(chain.day("0102", "100.00", "50.00"))
        assert (report.held, report.failed) == (1, False)
    assert chain.actions() == [("save", str(MONDAY), 1), ("save", str(MONDAY), 2)]
    assert "confirm is off" in chain.answer("0102")
    for register in (1, 2):
        chain.books.confirm(chain.books.key("0102", MONDAY, register), "Auto confirm")
    assert chain.hand(chain.day("0102", "100.00", "50.00")).unchanged == 1
    chain.actions()
    assert chain.hand(chain.day("0102", "100.00", "52.00")).delivered == 1  # what was confirmed is so again
    assert [action for action, _, _ in chain.actions()] == ["unconfirm", "save", "confirm"]


def test_what_staff_typed_over_is_put_right(chain: Chain) -> None:
    chain.hand(chain.day("0101", "125.50"))
    key = chain.books.key("0101", MONDAY)
    chain.books.unconfirm(key, "Eva")
    chain.books.save(
        key,
        Figures({**chain.books.figures(key).lines, chain.books.department("0101").field_id("Gross sales"): Decimal(1)}),
        "Eva",
    )
    report = chain.hand(chain.day("0101", "125.50"))
    assert [change.reason for change in report.changes] == ["missing or different at the target"]
    assert chain.gross("0101") == [Decimal("125.50")]
    assert chain.books.is_confirmed("0101", MONDAY)


def test_a_correction_that_six_digits_cannot_show_is_sent(chain: Chain) -> None:
    chain.hand(chain.day("0101", "1234567.89"))
    assert chain.hand(chain.day("0101", "1234567.89")).unchanged == 1
    assert chain.hand(chain.day("0101", "1234568.12")).delivered == 1
    assert chain.gross("0101") == [Decimal("1234568.12")]


@pytest.mark.parametrize("cents", [5, 15, 25, 45, 55, 95])
def test_however_six_digits_are_rounded_the_figure_is_recognised(chain: Chain, cents: int) -> None:
    day = chain.day("0101", f"12345.{cents:02}")
    chain.hand(day)
    assert chain.hand(day).unchanged == 1


def test_a_day_that_was_typed_in_by_hand_is_recognised(chain: Chain) -> None:
    chain.hand(chain.day("0101", "125.50"))
    chain.folder.joinpath("deliveries.db").unlink()
    chain.actions()
    assert chain.hand(chain.day("0101", "125.50")).unchanged == 1
    assert chain.actions() == []


def test_other_numbers_of_staff_that_may_be_rounded_are_counted(chain: Chain) -> None:
    bank = chain.books.department("0101").field_id("Transferred to bank")
    chain.books.save(chain.books.key("0101", MONDAY), Figures({bank: Decimal("123456.78")}), "Eva")
    chain.hand(chain.day("0101", "123450.00"))
    assert "1 numbers of staff went back" in chain.answer("0101")


def test_a_day_that_somebody_has_to_complete_waits_and_is_confirmed_later(chain: Chain) -> None:
    """Its figures are there, but SameSystem wants a comment."""
    key = chain.books.key("0101", MONDAY)
    bank = chain.books.department("0101").field_id("Transferred to bank")
    chain.books.save(key, Figures({bank: Decimal(500)}), "Eva")
    report = chain.hand(chain.day("0101", "125.50"))
    assert (report.held, report.failed) == (1, False)
    assert "register 1 is not confirmed: Comment must be filled in" in chain.answer("0101")
    assert chain.gross("0101") == [Decimal("125.50")]
    chain.books.save(key, Figures(dict(chain.books.figures(key).lines), "Two days' money"), "Eva")
    assert chain.hand(chain.day("0101", "125.50")).delivered == 1
    assert chain.books.figures(key).comment == "Two days' money"


def test_a_correction_that_cannot_be_confirmed_again_gets_its_approval_when_it_can(chain: Chain) -> None:
    chain.hand(chain.week("0101", "125.50"))
    key = chain.books.key("0101", MONDAY)
    bank = chain.books.department("0101").field_id("Transferred to bank")
    chain.books.unconfirm(key, "Eva")
    chain.books.save(key, Figures({**chain.books.figures(key).lines, bank: Decimal(125)}), "Eva")
    chain.books.confirm(key, "Eva")
    chain.approve("0101")
    assert chain.hand(chain.day("0101", "525.50")).held == 1
    assert not chain.books.is_approved("0101", MONDAY)
    chain.actions()
    assert chain.hand(chain.day("0102", "1", "1", day=TUESDAY)).delivered == 1  # another day does not touch it
    assert {write[1] for write in chain.actions()} == {str(TUESDAY)}
    chain.books.save(key, Figures(dict(chain.books.figures(key).lines), "Counted twice"), "Eva")
    assert chain.hand(chain.day("0101", "525.50")).delivered == 1
    assert chain.books.is_approved("0101", MONDAY)


def test_a_till_without_a_register_is_added_to_the_last(chain: Chain) -> None:
    sold = {(MONDAY, "0102"): [(chain.till("0102"), "100.00"), (chain.till("0102", 2), "50.00"), ("{NEW}", "7.00")]}
    chain.hand(sold)
    assert chain.gross("0102") == [Decimal(100), Decimal(57)]
    assert "till 3 has no register of its own: added to register 2" in chain.answer("0102")
    chain.hand(sold, numbers={"{NEW}": 1})
    assert chain.gross("0102") == [Decimal(107), Decimal(50)]


def test_a_figure_goes_to_the_first_register_that_has_the_field(chain: Chain) -> None:
    chain.books.department("0102").unavailable = {2: frozenset({"Returns", "Visitors"})}
    chain.hand(chain.day("0102", "100.00", "50.00"))
    assert chain.books.shown("0102", MONDAY)[1]["Returns"] == Decimal("15.00")
    assert chain.books.used("0102", MONDAY)["Returns"] == Decimal("15.00")  # type: ignore[index]


def test_what_no_till_sold_goes_to_register_1(chain: Chain) -> None:
    both = {(MONDAY, "0102"): [(chain.till("0102"), "100.00"), ("{WEB}", "30.00")]}
    tills = {(MONDAY, "0102"): [(chain.till("0102"), "100.00")]}
    with chain.open() as target:
        prepared = prepare_store_days(
            target,
            balance=balance(both),
            registers=register_sales(tills),
            tills=chain.tills(),
            stores=chain.stores(),
            with_online=True,
        )
    assert prepared.records[0].payload["registers"]["1"]["gross_sales"] == "130.00"
