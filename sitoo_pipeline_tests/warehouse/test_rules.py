"""Objects that break a rule go to quarantine as they were received; all others load."""

from __future__ import annotations

import gzip
import json
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sitoo_pipeline.tables import raw, types
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.raw_fields import Field, extra, fields, objects
from sitoo_pipeline.tables.types import DataType
from sitoo_pipeline.warehouse.rules import RULES, broken, typed, violations
from sitoo_pipeline.warehouse.staging import stage
from sitoo_pipeline_tests.warehouse.support import DAY, NOON, Account, documented, memory, order


def line(**fields: Any) -> dict[str, Any]:
    return {**documented("order")["orderitems"][0], **fields}


def payment(**fields: Any) -> dict[str, Any]:
    return {**documented("orders")["items"][0]["payments"][0], **fields}


def row_discount(text: Any) -> dict[str, Any]:
    return {"orderitems": [line(), line(additionaldata={"orderitem-moneyrowdiscount": text})]}


WRONG_VALUES: list[tuple[str, str, dict[str, Any]]] = [
    ("money_two_decimals", "moneytotal_net", {"moneytotal_net": "149.005"}),
    ("money_two_decimals", "moneytotal_net", {"moneytotal_net": "1,00"}),
    ("money_two_decimals", "moneytotal_net", {"moneytotal_net": " 1.00"}),
    ("money_two_decimals", "moneytotal_net", {"moneytotal_net": "1.00\n"}),
    ("money_two_decimals", "moneytotal_net", {"moneytotal_net": ""}),
    ("money_two_decimals", "moneytotal_net", {"moneytotal_net": 149.005}),
    ("money_two_decimals", "moneytotal_net", {"moneytotal_net": "12345678901234567.00"}),
    ("shape", "moneytotal_net", {"moneytotal_net": {"amount": "1.00"}}),
    ("whole_number", "warehouseid", {"warehouseid": "first"}),
    ("whole_number", "warehouseid", {"warehouseid": 1.5}),
    ("whole_number", "warehouseid", {"warehouseid": 3_000_000_000}),
    ("whole_number", "creditorderid", {"creditorderid": True}),
    ("unix_seconds", "datereserved", {"datereserved": "2026-11-20"}),
    ("money_two_decimals", "orderitems.moneyitemtotal_net", {"orderitems": [line(), line(moneyitemtotal_net="1.001")]}),
    ("whole_number", "orderitems.quantity", {"orderitems": [line(quantity="two")]}),
    (
        "quantity_three_decimals",
        "orderitems.decimalquantitytotal",
        {"orderitems": [line(decimalquantitytotal="1.0005")]},
    ),
    ("percent_four_decimals", "orderitems.vatvalue", {"orderitems": [line(vatvalue="25 %")]}),
    ("number", "orderitems.vouchervalue", {"orderitems": [line(vouchervalue="half")]}),
    ("money_two_decimals", "orderitems.additionaldata.orderitem-moneyrowdiscount", row_discount("5,00")),
    ("money_two_decimals", "orderitems.additionaldata.orderitem-moneyrowdiscount", row_discount("5.001")),
    ("money_two_decimals", "payments.moneyamount", {"payments": [payment(moneyamount="ten")]}),
    ("shape", "orderitems", {"orderitems": [line(), None]}),
]
WRONG_KEYS: list[tuple[str, str, dict[str, Any]]] = [
    ("key_missing", "orderid", {"orderid": None}),
    ("key_missing", "orderid", {"orderid": ""}),
    ("whole_number", "orderid", {"orderid": "A-1"}),
    ("date_missing", "orderdate", {"orderdate": None}),
    ("unix_seconds", "orderdate", {"orderdate": "yesterday"}),
    ("unix_seconds", "orderdate", {"orderdate": NOON * 1_000_000}),
]
WRONG_SHAPES: list[tuple[str, str, dict[str, Any]]] = [
    ("shape", "orderitems", {"orderitems": {}}),
    ("shape", "orderitems", {"orderitems": "none"}),
    ("shape", "orderitems", {"orderitems": [3]}),
    ("shape", "additionaldata", {"additionaldata": "none"}),
    ("shape", "additionaldata", {"additionaldata": ["store-name"]}),
    ("shape", "orderitems.additionaldata", {"orderitems": [line(additionaldata=4)]}),
]


def numbered(wrong: Sequence[tuple[str, str, dict[str, Any]]]) -> list[tuple[str, str, str | None, Any]]:
    """What should be in quarantine: rule, path, key and the object itself."""
    objects = [(rule, path, order(number, **fields)) for number, (rule, path, fields) in enumerate(wrong, start=100)]
    return [(rule, path, str(o["orderid"] or "") or None, o) for rule, path, o in objects]


@pytest.mark.parametrize("shapes", [[], WRONG_SHAPES], ids=["read by DuckDB", "decoded first"])
def test_every_rule(account: Account, shapes: list[tuple[str, str, dict[str, Any]]]) -> None:
    """The same rules hold for a page that DuckDB cannot read as it is."""
    wrong = numbered([*WRONG_VALUES, *WRONG_KEYS, *shapes])
    objects = [o for *_, o in wrong]

    loaded = account.load([order(1), *objects[:9]], [*objects[9:], None, order(2)], dates=[DAY])

    assert account.orders() == [(1, DAY), (2, DAY)]
    wrong.append(("object", "", None, None))
    # Objects with a wrong clock tell no date and stand with the first date asked for, which is this one.
    assert sorted(account.refused(), key=json.dumps) == sorted(wrong, key=json.dumps)
    assert loaded[DAY].quarantined == len(wrong)


def test_a_good_object_beside_them_is_the_same_whichever_way_it_was_read(account: Account, tmp_path: Path) -> None:
    other = Account(tmp_path / "other")
    rich = order(1, payments=[payment()], orderitems=[line(), line(additionaldata={"a": "b", "c": None})])
    account.load([rich])
    other.load([rich | {"a_new_field": {"x": 1}}, order(2, orderitems=4)])

    assert account.records(raw.ORDERS) == other.records(raw.ORDERS)


def test_an_empty_map_may_be_written_as_an_empty_array(account: Account, tmp_path: Path) -> None:
    other = Account(tmp_path / "other")
    account.load([order(1, additionaldata={}, orderitems=[line(additionaldata={})])])
    other.load([order(1, additionaldata=[], orderitems=[line(additionaldata=[])])])

    assert account.records(raw.ORDERS) == other.records(raw.ORDERS)
    assert other.refused() == []


def test_the_rule_that_is_named_is_the_one_that_was_broken(account: Account) -> None:
    """An empty array for a map is no fault, and hides none."""
    account.load([order(1, additionaldata=[], moneytotal_net="1,00")])

    assert [(rule, path) for rule, path, *_ in account.refused()] == [("money_two_decimals", "moneytotal_net")]


def test_what_is_missing_or_null_or_unknown_loads(account: Account) -> None:
    account.load([{"orderid": 1, "orderdate": NOON, "orderitems": None, "payments": [{}], "brand_new": [1, {"a": 2}]}])

    row = account.records(raw.ORDERS)[0]
    assert (row["orderitems"], row["additionaldata"], row["moneytotal_net"]) == (None, None, None)
    assert row["payments"][0]["moneyamount"] is None


def test_a_refused_object_of_another_date_is_left_to_that_date(account: Account) -> None:
    bad = order(1, at=NOON + 86400, moneytotal_net="1,00")
    assert account.load([bad])[DAY].quarantined == 0
    assert account.refused() == []


def test_a_refused_reference_object(account: Account) -> None:
    groups = documented("product_groups")
    groups["items"][1]["value"] = "six"

    loaded = account.load_list(groups, table=raw.PRODUCT_GROUPS)

    assert (loaded.rows, loaded.quarantined) == (3, 1)
    assert account.refused() == [("percent_four_decimals", "value", "3", groups["items"][1])]
    assert account.rows("SELECT business_date FROM meta.quarantine") == [(None,)]


def test_a_z_report_names_both_parts_of_its_key(account: Account) -> None:
    report = documented("z_reports")[0] | {"datecreated": NOON, "numsales": "three"}
    account.load([report], table=raw.Z_REPORTS)

    assert account.refused()[0][:3] == ("whole_number", "numsales", f"{report['registerid']}/2")


def test_a_bare_array_with_an_object_of_a_wrong_shape(account: Account) -> None:
    """Only its page is decoded, and the others keep their places."""
    report = documented("z_reports")[0] | {"datecreated": NOON}
    wrong: list[dict[str, Any]] = [{}, {"paymentssales": "none"}, {}]
    account.load(*([report | {"zreportid": n} | more] for n, more in enumerate(wrong)), table=raw.Z_REPORTS)

    assert account.rows("SELECT zreportid, _landing_file FROM raw.z_reports ORDER BY 1") == [
        (0, "000/0000.json.gz"),
        (2, "000/0002.json.gz"),
    ]
    assert [(rule, path) for rule, path, *_ in account.refused()] == [("shape", "paymentssales")]


# SQL and Python give one verdict.

texts = st.text(st.characters(codec="utf-8"), max_size=12)
numeric = st.text("0123456789+-.,eE \n", max_size=24)
keeping = st.sampled_from([rule.pattern for rule in RULES.values()]).flatmap(lambda p: st.from_regex(p, fullmatch=True))


def probe(*declared: Field) -> RawTable:
    """A raw table of some fields, the first of them the key."""
    return RawTable("raw", "probe", "", (), key=(declared[0].name,), fields=declared)


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with memory() as connection:
        yield connection


def over(con: duckdb.DuckDBPyConnection, values: list[str], expression: str) -> list[Any]:
    """An SQL expression over texts, one by one."""
    rows = 'SELECT unnest($1::VARCHAR[]) AS "value", generate_subscripts($1, 1) AS n'
    return [row[0] for row in con.execute(f"SELECT {expression} FROM ({rows}) ORDER BY n", [values]).fetchall()]


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.sql)
def test_sql_and_python_agree_on_any_text(con: duckdb.DuckDBPyConnection, kind: DataType) -> None:
    table = probe(Field("value", kind, ""))

    @settings(max_examples=25, deadline=None)
    @given(values=st.lists(texts | numeric | keeping, min_size=1, max_size=60))
    def check(values: list[str]) -> None:
        assert over(con, values, broken(table)) == [bool(violations(table, {"value": text})) for text in values]

    check()


@pytest.mark.parametrize("kind", RULES, ids=lambda kind: kind.sql)
def test_what_keeps_its_rule_is_cast_without_losing_a_digit(con: duckdb.DuckDBPyConnection, kind: DataType) -> None:
    meaning: dict[DataType, Callable[[str], Any]] = {
        types.BOOLEAN: lambda text: text == "true",
        types.INSTANT: lambda text: datetime.fromtimestamp(int(text), UTC),
        types.NUMBER: float,
    }

    @settings(max_examples=25, deadline=None)
    @given(values=st.lists(st.from_regex(RULES[kind].pattern, fullmatch=True), min_size=1, max_size=60))
    def check(values: list[str]) -> None:
        assert over(con, values, typed(probe(Field("value", kind, "")))) == [
            meaning.get(kind, Decimal)(v) for v in values
        ]

    check()


ANYTHING = probe(
    Field("id", types.INTEGER, ""),
    Field("amount", types.MONEY, ""),
    Field("note", types.TEXT, ""),
    Field("tags", types.TEXT_LIST, ""),
    *extra("more", money=("paid",)),
    Field("lines", objects(fields(types.QUANTITY, ("pieces", "")), extra("more", money=("paid",))), ""),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | numeric | texts,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(["paid", "pieces", "more"]), inner),
    max_leaves=4,
)
records = st.fixed_dictionaries({}, optional={field.name: json_values for field in ANYTHING.fields[1:]})


@settings(max_examples=40, deadline=None)
@example(
    items=[
        {"amount": None, "lines": None, "more": None, "tags": {"paid": None, "pieces": False, "more": "0\x1f\x1f\x80"}}
    ]
)
@given(items=st.lists(records | json_values, max_size=12))
def test_any_json_is_loaded_or_refused_and_python_knows_which(con: duckdb.DuckDBPyConnection, items: list[Any]) -> None:
    items = [{**item, "id": number} if isinstance(item, dict) else item for number, item in enumerate(items)]
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "0.json.gz"
        body.write_bytes(gzip.compress(json.dumps({"items": items}).encode()))
        with stage(con, ANYTHING, [body], layout="envelope", landing=Path(folder)) as staged:
            loaded = con.execute(f"SELECT * FROM {staged.rows} ORDER BY _object").fetchall()

    good = [number for number, item in enumerate(items) if not violations(ANYTHING, item)]
    assert [row[0] for row in loaded] == good
    assert [json.loads(item.payload) for item in staged.refused] == [o for n, o in enumerate(items) if n not in good]


def test_a_movement_without_a_warehouse_is_refused() -> None:
    """Its mart has one row per warehouse, so it would stop the whole day instead of itself."""
    item = {"warehousetransactionid": 7, "datecreated": NOON, "warehouseid": None}
    assert violations(raw.WAREHOUSE_TRANSACTIONS, item) == [("place_missing", "warehouseid")]
