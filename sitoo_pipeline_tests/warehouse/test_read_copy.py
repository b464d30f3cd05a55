"""The read copy holds nobody's data, is what the warehouse is in everything else, and is kept up date by date."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import duckdb
import pytest

from sitoo_pipeline.tables import ALL_TABLES, core, raw
from sitoo_pipeline.tables.types import ObjectList
from sitoo_pipeline.warehouse import Warehouse, WarehouseLockedError, read_copy, replace_partitions
from sitoo_pipeline_tests.warehouse.holder import Holder
from sitoo_pipeline_tests.warehouse.support import DAY, NEXT_DAY, NEXT_NOON, NOON, STARTED, Account, frame, order

SECRET = "somebody.secret@example.com"
IN_NESTED = {"additionaldata": {"note": "nested-secret"}}


def with_people(order_id: int, email: str = SECRET, at: int = NOON) -> dict[str, Any]:
    found = order(order_id, at, email=email, namefirst="Secretfirst", phone="0701234567")
    found["additionaldata"] = {"crm-membernumber": "secret-member", "anything": "secret-anything"}
    for line in found["orderitems"]:
        line |= {"externalinput": "engraved-secret", **IN_NESTED}
    found["orderlogitems"] = [{"datelog": NOON, "orderid": order_id, "strvalue": "mailed-secret"}]
    return found


def core_orders(account: Account, *orders: tuple[int, str | None], day: Any = DAY) -> None:
    """Rows of ``core.orders`` with these ids and e-mail addresses."""
    rows = [
        {
            "order_id": number, "business_date": day, "email": email, "name_last": "Secretlast", "timezone": "UTC",
            "crm_member_number": "secret-member", "hour_start": STARTED, "local_hour": 1, "store_id": "1",
            "channel": "pos", "currency": "SEK", "counts": True, "delivery_ignores_stock": False,
        }
        for number, email in orders
    ]  # fmt: skip
    replace_partitions(
        account.warehouse, {core.ORDERS: frame(core.ORDERS, *rows)}, dates=[day], run_id="r", started_at=STARTED
    )


def shown(account: Account, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(account.warehouse.read_copy), read_only=True) as con:
        return con.execute(sql).fetchall()


def test_nobody_is_in_the_file_and_everything_else_is(account: Account) -> None:
    account.load([with_people(1), with_people(2)])
    core_orders(account, (1, SECRET))
    account.warehouse.publish()
    with account.warehouse.look() as (con, _), duckdb.connect(str(account.warehouse.read_copy), read_only=True) as copy:
        everything = "".join(str(copy.execute(f"FROM {table.qualified}").fetchall()) for table in ALL_TABLES)
        for table in ALL_TABLES:
            kept = ", ".join(f'"{c.name}"' for c in table.all_columns if not c.personal)
            for sql in (f"SELECT {kept} FROM {table.qualified} ORDER BY ALL", f"DESCRIBE {table.qualified}"):
                copy.execute("SET TimeZone = 'UTC'")
                assert copy.execute(sql).fetchall() == con.execute(sql).fetchall(), table.qualified
    assert "ecret" not in everything
    assert "0701234567" not in everything
    items = "SELECT [(i.sku, i.moneyitemtotal_net, i.quantity) FOR i IN orderitems] FROM raw.orders ORDER BY orderid"
    assert shown(account, items) == account.rows(items)
    assert shown(account, "SELECT count(*) FROM raw.orders WHERE len(orderitems) > 0") == [(2,)]


def test_what_was_refused_is_named_without_its_content(account: Account) -> None:
    account.load([with_people(1) | {"moneytotal_net": "x"}])
    account.warehouse.publish()
    assert shown(account, "SELECT object_key, path, payload FROM meta.quarantine") == [("1", "moneytotal_net", "{}")]


def test_a_customer_has_one_hash_in_every_order_and_over_time(account: Account) -> None:
    core_orders(account, (1, "Anna@Example.com "), (2, "anna@example.com"), (3, "bo@example.com"), (4, None))
    account.warehouse.publish()
    first = dict(shown(account, "SELECT order_id, email FROM core.orders"))
    assert first[1] == first[2] != first[3]
    assert first[4] is None
    assert len(first[1]) == 32
    account.warehouse.read_copy.unlink()
    core_orders(account, (9, "anna@example.com"), day=NEXT_DAY)
    account.warehouse.publish()
    assert dict(shown(account, "SELECT order_id, email FROM core.orders")) == {**first, 9: first[1]}
    [(email, member)] = shown(account, "SELECT email, crm_member_number FROM core.orders WHERE order_id = 1")
    assert email != member


def test_the_salt_is_the_accounts_own_and_its_owners_alone(tmp_path: Path) -> None:
    hashes = []
    for name in ("one", "two"):
        account = Account(tmp_path / name)
        core_orders(account, (1, SECRET))
        account.warehouse.publish()
        salt = tmp_path / name / "customers.salt"
        assert stat.S_IMODE(salt.stat().st_mode) == 0o600
        assert len(salt.read_text().strip()) == 64
        hashes += shown(account, "SELECT email FROM core.orders")
    assert hashes[0] != hashes[1]


def test_another_salt_is_another_copy(account: Account) -> None:
    core_orders(account, (1, SECRET))
    account.warehouse.publish()
    before = shown(account, "SELECT email FROM core.orders")
    (account.folder / "customers.salt").unlink()
    account.warehouse.publish()
    assert shown(account, "SELECT email FROM core.orders") != before


def test_only_what_changed_is_written_again(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.load([with_people(1), with_people(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    account.warehouse.publish()
    written: list[tuple[str, list[Any]]] = []
    pieces = read_copy._pieces

    def noted(days: list[Any], rows: Any) -> Any:
        for piece in pieces(days, rows):
            written.append(("piece", piece))
            yield piece

    monkeypatch.setattr(read_copy, "_pieces", noted)
    account.warehouse.publish()
    assert written == []
    account.load([with_people(3), with_people(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    account.warehouse.publish()
    assert ("piece", [DAY]) in written
    assert not [piece for _, piece in written if piece == [NEXT_DAY] or len(piece) > 2]
    assert shown(account, "SELECT orderid FROM raw.orders ORDER BY 1") == [(2,), (3,)]


@pytest.mark.parametrize("told", ["in the note", "by an older pipeline", "by another DuckDB"])
def test_the_last_copy_is_read_only_where_its_note_does_not_say_what_it_has(
    account: Account, monkeypatch: pytest.MonkeyPatch, told: str
) -> None:
    account.load([with_people(1), with_people(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    account.warehouse.publish()
    note = account.folder / ".warehouse_read.duckdb.json"
    said = json.loads(note.read_text())
    if told == "by an older pipeline":
        said = {name: value for name, value in said.items() if name not in ("holds", "duckdb")}
    elif told == "by another DuckDB":
        said |= {"duckdb": "1.3.0", "holds": {name: [] for name in said["holds"]}}
    note.write_text(json.dumps(said))
    read: list[str] = []
    fingerprints = read_copy._fingerprints

    def noted(con: duckdb.DuckDBPyConnection, table: Any, database: str) -> Any:
        read.append(database)
        return fingerprints(con, table, database)

    monkeypatch.setattr(read_copy, "_fingerprints", noted)
    account.load([with_people(3), with_people(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    account.warehouse.publish()
    assert set(read) == ({""} if told == "in the note" else {"", "published."})
    assert shown(account, "SELECT orderid FROM raw.orders ORDER BY 1") == [(2,), (3,)]
    account.load([with_people(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    read.clear()
    account.warehouse.publish()
    assert set(read) == {""}
    assert shown(account, "SELECT orderid FROM raw.orders") == [(2,)]


def test_a_date_that_lost_its_rows_loses_them_in_the_copy(account: Account) -> None:
    account.load([with_people(1), with_people(2, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    account.warehouse.publish()
    account.load([], dates=[DAY])
    account.warehouse.publish()
    assert shown(account, "SELECT orderid FROM raw.orders") == [(2,)]


def test_a_new_copy_in_many_pieces_is_the_same(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_copy, "_ROWS_AT_ONCE", 1)
    account.load([with_people(1), with_people(2), with_people(3, at=NEXT_NOON)], dates=[DAY, NEXT_DAY])
    account.warehouse.publish()
    assert shown(account, "SELECT orderid FROM raw.orders ORDER BY 1") == [(1,), (2,), (3,)]


def test_what_a_reader_changed_in_its_copy_is_gone_with_the_next(account: Account) -> None:
    """Also a value that no fingerprint tells, written into the file by a reader that is gone again."""
    account.load([with_people(1)])
    account.warehouse.publish()
    with duckdb.connect(str(account.warehouse.read_copy)) as con:
        con.execute("UPDATE raw.orders SET externalid = 'mine'")
    account.warehouse.publish()
    assert shown(account, "SELECT count(*) FROM raw.orders WHERE externalid = 'mine'") == [(0,)]


def test_a_setting_keeps_personal_data_and_can_be_taken_back(account: Account) -> None:
    core_orders(account, (1, SECRET))
    whole = Warehouse(account.warehouse.path, personal_in_copy=True)
    whole.publish()
    assert shown(account, "SELECT email, name_last FROM core.orders") == [(SECRET, "Secretlast")]
    account.warehouse.publish()
    assert shown(account, "SELECT name_last FROM core.orders") == [(None,)]
    assert SECRET.encode() not in account.warehouse.read_copy.read_bytes()


def test_who_needs_personal_data_is_not_given_a_copy_without_it(account: Account) -> None:
    core_orders(account, (1, SECRET))
    account.warehouse.publish()
    with Holder(account.warehouse.path):
        with account.warehouse.look(patience=0) as (_, as_of):
            assert as_of
        with pytest.raises(WarehouseLockedError), account.warehouse.look(patience=0, personal=True):
            pass


def test_a_list_with_personal_data_inside_is_marked() -> None:
    nested = {c.name for c in raw.ORDERS.columns if isinstance(c.type, ObjectList) and c.personal}
    assert nested == {"orderitems", "payments", "reservedpayments", "orderlogitems"}
    customers = {f"{table.qualified}.{c.name}" for table in ALL_TABLES for c in table.columns if c.customer}
    assert customers == {"core.orders.email", "core.orders.crm_customer_id", "core.orders.crm_member_number"}
