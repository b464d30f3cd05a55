from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sitoo_pipeline_tests.sandbox.conftest import CHAIN
from sitoo_pipeline_tests.sandbox.samesystem import DAYS, FULL, MONDAY, Client, refused

DAY = date.fromisoformat(MONDAY)


@pytest.fixture(autouse=True)
def _logged_in(client: Client) -> None:
    client.login()


def fields(client: Client, dpt_no: str = "0101") -> dict[str, dict[str, Any]]:
    listed = client.get(client.balance("fields", dpt_no)).json()["fields"]
    return {field["name"]: field for field in listed}


def test_fields_have_ids_of_their_own_in_each_department(client: Client) -> None:
    one, other = fields(client), fields(client, "0102")
    assert list(one) == list(other)
    assert not {field["field_id"] for field in one.values()} & {field["field_id"] for field in other.values()}
    assert one["Gross sales"] == {
        "field_id": one["Gross sales"]["field_id"],
        "name": "Gross sales",
        "field_type": "number",
        "summable": True,
        "code": "A1",
        "calculated": False,
        "mandatory": True,
    }
    assert [name for name, field in one.items() if field["calculated"]] == ["VAT", "Average purchase", "Difference"]
    assert one["Visitors"]["code"] is None
    assert {field["field_type"] for field in one.values()} == {"number", "text", "expense", "deposit"}


def test_what_is_saved_is_shown_with_what_follows_from_it(client: Client) -> None:
    entries = [{"group_id": 1, "title": "Paper", "value": 2.5}, {"group_id": 2, "title": "Fuel", "value": 18}]
    answer = client.save(MONDAY, {**FULL, "Bank person": "Eva"}, comments="Fine", expenses=entries)
    assert (answer.status_code, answer.json()["status"]) == (200, "ok")
    assert f"{MONDAY} register #1" in answer.json()["description"]
    week = client.week("2026-11-08")  # the Sunday of the same week
    assert week["register_count"] == len(week["registers"]) == 1
    register = week["registers"][0]
    names = {field["field_id"]: name for name, field in fields(client).items()}
    assert {names[line["field_id"]]: line["value"] for line in register.pop("lines")[MONDAY]} == {
        **FULL,
        "VAT": 25.1,
        "Average purchase": 31.38,
        "Bank person": "Eva",
        "Expenses": 20.5,
    }
    assert register == {
        "register_number": 1,
        "week_approved": False,
        "unavailable_fields": [],
        "confirmed": {},
        "comments": {MONDAY: "Fine"},
        "expenses": {MONDAY: entries},
        "deposits": {},
    }
    assert client.week("2026-11-09")["registers"][0]["lines"] == {}


def test_an_older_version_answers_201(client: Client) -> None:
    client.sandbox.samesystem.saved_status = 201
    assert client.save(MONDAY, FULL).status_code == 201


def test_numbers_come_back_with_six_digits_and_are_kept_exactly(client: Client) -> None:
    assert client.save(MONDAY, {"Gross sales": 1234567.89, "Net sales": -0.0, "Discounts": 1234.567}).status_code == 200
    text = client.get(client.balance(MONDAY)).text
    assert "1.23457e+06" in text
    assert "1234.57" in text
    assert ":-0" not in text
    assert client.sandbox.samesystem.state.shown("0101", DAY)[1]["Gross sales"] == Decimal("1234567.89")


def test_saved_figures_count_only_when_every_register_is_confirmed(client: Client) -> None:
    state = client.sandbox.samesystem.state
    assert client.week(MONDAY, "0102")["register_count"] == 2
    for register in (1, 2):
        client.save(MONDAY, FULL, dpt_no="0102", register=register)
    assert state.shown("0102", DAY)[2]["Gross sales"] == Decimal("125.5")
    assert state.used("0102", DAY) is None
    assert client.act("confirm", MONDAY, dpt_no="0102", register=1).json() == {"status": "ok"}
    assert state.used("0102", DAY) is None
    client.act("confirm", MONDAY, dpt_no="0102", register=2)
    totals = {"Gross sales": Decimal(251), "Net sales": Decimal("200.8"), "VAT": Decimal("50.2")}
    assert state.used("0102", DAY) == {**totals, "Transactions": Decimal(8)}
    confirmed = client.week(MONDAY, "0102")["registers"][1]["confirmed"]
    assert confirmed == {MONDAY: {"datetime": "2026-11-10 13:00:00", "user": "POS integration"}}
    client.act("unconfirm", MONDAY, dpt_no="0102", register=1)
    assert state.used("0102", DAY) is None


def test_registers_can_be_another_number_in_another_week(client: Client) -> None:
    client.sandbox.samesystem.state.department("0101").register_counts[DAY] = 2
    assert client.week(MONDAY)["register_count"] == 2
    assert client.week("2026-11-09")["register_count"] == 1
    assert client.save(MONDAY, FULL, register=2).status_code == 200
    assert refused(client.save("2026-11-09", FULL, register=2), 404, "Register #2")


def test_a_large_store_may_keep_one_balance(client: Client) -> None:
    department = client.sandbox.samesystem.state.department("0203")
    assert len(CHAIN.store_list[3].registers) > department.register_count == 1


def test_a_confirmed_day_is_not_saved_until_it_is_unconfirmed(client: Client) -> None:
    client.save(MONDAY, FULL)
    client.act("confirm", MONDAY)
    assert refused(client.save(MONDAY, {**FULL, "Transactions": 5}), 412, "confirmed")
    assert client.sandbox.samesystem.state.shown("0101", DAY)[1]["Transactions"] == 4
    client.act("unconfirm", MONDAY)
    assert client.save(MONDAY, {**FULL, "Transactions": 5}).status_code == 200
    client.act("confirm", MONDAY)
    client.sandbox.samesystem.state.refuses_confirmed = False
    assert client.save(MONDAY, FULL).status_code == 200


def test_an_approved_week_is_closed_until_it_is_unapproved(client: Client) -> None:
    for day in DAYS:
        client.save(day, FULL)
    for day in DAYS[:-1]:
        client.act("confirm", day)
    assert refused(client.act("approve_week", MONDAY), 412, "2026-11-08")
    client.act("confirm", DAYS[-1])
    assert client.act("approve_week", DAYS[3]).status_code == 200
    assert client.week(MONDAY)["registers"][0]["week_approved"] is True
    assert client.sandbox.samesystem.state.is_approved("0101", DAY)
    approved = client.sandbox.samesystem.state.snapshot()
    assert refused(client.act("unconfirm", MONDAY), 412, "approved")
    assert refused(client.save(MONDAY, FULL), 412, "approved")
    assert client.act("unapprove_week", MONDAY).status_code == 200
    week = client.week(MONDAY)["registers"][0]
    assert week["week_approved"] is False
    assert client.sandbox.samesystem.state.snapshot() != approved
    assert list(week["confirmed"]) == list(DAYS)
    assert client.act("unconfirm", MONDAY).status_code == 200


def test_each_register_is_approved_by_itself(client: Client) -> None:
    client.confirm_week(dpt_no="0102", register=2)
    assert refused(client.act("approve_week", MONDAY, dpt_no="0102", register=1), 412, "not confirmed")
    assert client.act("approve_week", MONDAY, dpt_no="0102", register=2).status_code == 200
    assert [register["week_approved"] for register in client.week(MONDAY, "0102")["registers"]] == [False, True]
    assert not client.sandbox.samesystem.state.is_approved("0102", DAY)
    assert client.save(MONDAY, FULL, dpt_no="0102", register=1).status_code == 200


def test_nothing_is_done_twice(client: Client) -> None:
    assert refused(client.act("unconfirm", MONDAY), 412, "not confirmed")
    assert refused(client.act("unapprove_week", MONDAY), 412, "not approved")
    client.confirm_week()
    assert refused(client.act("confirm", MONDAY), 412, "already")
    client.act("approve_week", MONDAY)
    assert refused(client.act("approve_week", MONDAY), 412, "already")


def test_a_mandatory_figure_is_missing(client: Client) -> None:
    client.save(MONDAY, {"Gross sales": 1, "Transactions": 1})
    assert refused(client.act("confirm", MONDAY), 412, "Net sales")
    client.save(MONDAY, {"Gross sales": 1, "Net sales": 0})
    assert client.act("confirm", MONDAY).status_code == 200


def test_a_register_needs_no_figure_that_it_does_not_have(client: Client) -> None:
    department = client.sandbox.samesystem.state.department("0102")
    department.unavailable = {2: frozenset({"Net sales"})}
    for register in (1, 2):
        client.save(MONDAY, {"Gross sales": 1}, dpt_no="0102", register=register)
    assert refused(client.act("confirm", MONDAY, dpt_no="0102", register=1), 412, "Net sales")
    assert client.act("confirm", MONDAY, dpt_no="0102", register=2).status_code == 200


def test_an_empty_text_is_no_figure(client: Client) -> None:
    assert client.save(MONDAY, {"Bank person": ""}).status_code == 200
    assert client.week(MONDAY)["registers"][0]["lines"] == {}
    assert client.act("confirm", MONDAY).status_code == 200


def test_a_closed_day_needs_no_figures_but_an_idle_register_does(client: Client) -> None:
    assert client.act("confirm", MONDAY, dpt_no="0102", register=2).status_code == 200
    client.save(DAYS[1], FULL, dpt_no="0102", register=1)
    assert refused(client.act("confirm", DAYS[1], dpt_no="0102", register=2), 412, "Gross sales")
    client.save(DAYS[1], {"Gross sales": 0, "Net sales": 0}, dpt_no="0102", register=2)
    assert client.act("confirm", DAYS[1], dpt_no="0102", register=2).status_code == 200


@pytest.mark.parametrize(("banked", "status"), [(25.5, 200), (25.4, 412), (225.6, 412)])
def test_an_overrun_needs_a_comment(client: Client, banked: float, status: int) -> None:
    client.save(MONDAY, {**FULL, "Transferred to bank": banked})
    assert client.act("confirm", MONDAY).status_code == status
    if status == 412:
        assert refused(client.act("confirm", MONDAY), 412, "Comment")
        client.save(MONDAY, {**FULL, "Transferred to bank": banked}, comments="Float was short")
        assert client.act("confirm", MONDAY).status_code == 200


def test_what_a_save_leaves_out_is_cleared_unless_switched_off(client: Client) -> None:
    state = client.sandbox.samesystem.state
    entry = [{"group_id": 1, "title": "Paper", "value": 2}]
    client.save(MONDAY, {**FULL, "Bank person": "Eva"}, comments="Fine", expenses=entry)
    client.save(MONDAY, FULL)
    register = client.week(MONDAY)["registers"][0]
    assert (register["comments"], register["expenses"]) == ({}, {})
    assert not {"Bank person", "Expenses"} & set(state.shown("0101", DAY)[1])
    state.clears_omitted = False
    client.save(MONDAY, {"Bank person": "Eva"}, comments="Fine")
    assert client.save(MONDAY, {"Transactions": 9}).status_code == 200
    shown = state.shown("0101", DAY)[1]
    assert (shown["Bank person"], str(shown["Transactions"]), str(shown["Gross sales"])) == ("Eva", "9", "125.5")
    assert client.week(MONDAY)["registers"][0]["comments"] == {MONDAY: "Fine"}


def test_a_calculated_value_is_ignored_and_an_unavailable_field_refused(client: Client) -> None:
    assert client.save(MONDAY, {**FULL, "VAT": 1}).status_code == 200
    assert client.sandbox.samesystem.state.shown("0101", DAY)[1]["VAT"] == Decimal("25.1")
    assert client.save(MONDAY, {**FULL, "Visitors": 7}, dpt_no="0102").status_code == 200
    department = client.sandbox.samesystem.state.department("0102")
    assert client.week(MONDAY, "0102")["registers"][1]["unavailable_fields"] == [department.field_id("Visitors")]
    answer = client.save(MONDAY, {**FULL, "Visitors": 7}, dpt_no="0102", register=2)
    assert refused(answer, 400, "not available")


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([{"field_id": 1, "value": 1}], "Field 1 does not exist"),
        ([{"field_id": None, "value": 1}], "does not exist"),
        ([{"field_id": "GROSS", "value": "1.234,56"}], "takes a number"),
        ([{"field_id": "GROSS", "value": "12.5"}], "takes a number"),
        ([{"field_id": "GROSS", "value": None}], "takes a number"),
        ([{"field_id": "GROSS", "value": True}], "takes a number"),
        ([{"field_id": "GROSS", "value": 1}, {"field_id": "GROSS", "value": 1}], "twice"),
        ([{"field_id": "PERSON", "value": 1}], "takes a text"),
        ([{"field_id": "EXPENSES", "value": 1}], "detailed"),
        ({"field_id": "GROSS", "value": 1}, "list of objects"),
    ],
)
def test_wrong_figures_are_refused_whole(client: Client, lines: Any, said: str) -> None:
    department = client.sandbox.samesystem.state.department("0101")
    ids = {"GROSS": "Gross sales", "PERSON": "Bank person", "EXPENSES": "Expenses"}
    if isinstance(lines, list):
        lines = [
            {
                **line,
                "field_id": department.field_id(ids[line["field_id"]]) if line["field_id"] in ids else line["field_id"],
            }
            for line in lines
        ]
    client.save(MONDAY, FULL)
    before = client.sandbox.samesystem.state.snapshot()
    assert refused(client.post(client.balance(f"save/{MONDAY}/1"), {"lines": lines}), 400, said)
    assert client.sandbox.samesystem.state.snapshot() == before


def test_an_unknown_group_register_or_date(client: Client) -> None:
    entry = {"group_id": 9, "title": "Paper", "value": 2}
    assert refused(client.save(MONDAY, FULL, expenses=[entry]), 400, "Group 9")
    assert refused(client.save(MONDAY, FULL, deposits=[{**entry, "group_id": 1}]), 400, "Group 1 of deposits")
    assert refused(client.save(MONDAY, FULL, register=2), 404, "Register #2")
    assert refused(client.get(client.balance("02-11-2026")), 400, "not a date")
    assert client.sandbox.samesystem.state.writes == []


def test_what_was_done_is_on_record_and_a_repeat_changes_nothing(client: Client) -> None:
    state = client.sandbox.samesystem.state
    client.save(MONDAY, FULL)
    client.act("confirm", MONDAY)
    client.save(MONDAY, FULL)  # refused
    assert [(write.action, write.dpt_no, write.day, write.register) for write in state.writes] == [
        ("save", "0101", DAY, 1),
        ("confirm", "0101", DAY, 1),
    ]
    assert state.writes[0].lines["Net sales"] == Decimal("100.4")
    before = state.snapshot()
    client.act("unconfirm", MONDAY)
    assert state.snapshot() != before
    client.save(MONDAY, FULL)
    client.act("confirm", MONDAY)
    assert state.snapshot() == before
    client.act("unconfirm", MONDAY)
    client.save(MONDAY, {**FULL, "Transactions": 5})
    client.act("confirm", MONDAY)
    assert state.snapshot() != before
