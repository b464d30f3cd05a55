"""Products: what is read replaces its row, everything else stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sitoo_pipeline.tables import raw
from sitoo_pipeline.warehouse import last_merge
from sitoo_pipeline_tests.warehouse.support import STARTED, Account, documented


def product(number: int, title: str = "Presentkort", **fields: Any) -> dict[str, Any]:
    return {**documented("products")["items"][0], "productid": number, "title": title, **fields}


def listed(account: Account) -> list[tuple[Any, ...]]:
    return account.rows("SELECT eshopid, productid, title, _run_id FROM raw.products ORDER BY ALL")


def test_a_later_answer_replaces_its_products_and_leaves_the_others(account: Account) -> None:
    first = account.merge([product(1), product(2)], [product(3)], run_id="first")
    then = account.merge([product(2, "Gåva"), product(4)], run_id="then")
    assert (first.status, first.rows, then.status, then.rows) == ("loaded", 3, "loaded", 4)
    assert listed(account) == [
        (1, 1, "Presentkort", "first"),
        (1, 2, "Gåva", "then"),
        (1, 3, "Presentkort", "first"),
        (1, 4, "Presentkort", "then"),
    ]


def test_what_is_the_same_is_left_alone(account: Account) -> None:
    account.merge([product(1, barcode=None, barcodealiases=["1", "2"]), product(2)], run_id="first")
    before = account.rows("FROM raw.products ORDER BY ALL")
    again = account.merge([product(1, barcode=None, barcodealiases=["1", "2"])], run_id="again")
    assert (again.status, again.rows) == ("unchanged", 2)
    assert account.rows("FROM raw.products ORDER BY ALL") == before
    assert account.merge(run_id="nothing").status == "unchanged"
    changed = account.merge([product(1, barcode="", barcodealiases=["1", "2"])], run_id="empty is not null")
    assert changed.status == "loaded"


def test_of_two_in_one_answer_the_last_counts(account: Account) -> None:
    account.merge([product(1, "old"), product(1, "new")])
    assert [row[2] for row in listed(account)] == ["new"]


def test_a_number_can_be_another_product_at_another_site(account: Account) -> None:
    account.merge([product(1, "here")], site=1)
    account.merge([product(1, "there")], site=2)
    account.merge([product(1, "there too")], site=2)
    assert [row[:3] for row in listed(account)] == [(1, 1, "here"), (2, 1, "there too")]


def test_a_refused_product_keeps_its_row_and_stands_in_quarantine_until_it_is_in_order(account: Account) -> None:
    account.merge([product(1), product(2)], run_id="first")
    wrong = product(1, moneyprice="1.999")
    assert account.merge([wrong, product(2, "other")], run_id="bad").quarantined == 1
    account.merge([product(3)], run_id="elsewhere")
    account.merge([product(1)], site=2, run_id="another site")
    expected = [("money_two_decimals", "moneyprice", "1", wrong)]
    assert account.refused() == expected
    assert account.merge([wrong]).quarantined == 1
    assert account.refused() == expected
    assert [row[2:] for row in listed(account) if row[:2] == (1, 1)] == [("Presentkort", "first")]
    account.merge([product(1, "mended")], run_id="good")
    assert account.refused() == []


def test_a_product_without_a_number(account: Account) -> None:
    account.merge([product(1), {"title": "?"}])
    assert account.refused() == [("key_missing", "productid", None, {"title": "?"})]
    assert len(listed(account)) == 1


def test_the_last_load_of_a_site(account: Account) -> None:
    def last(site: int) -> datetime | None:
        with account.warehouse.connect() as con:
            return last_merge(con, raw.PRODUCTS, f"products/site-{site}")

    assert last(1) is None
    account.merge([product(1)], site=1)
    account.merge(site=12, started_at=STARTED + timedelta(hours=5))  # nothing came, and that is a load too
    assert (last(1), last(12), last(2)) == (STARTED, STARTED + timedelta(hours=5), None)
    later = datetime(2026, 11, 2, tzinfo=UTC)
    account.merge([product(1)], site=1, started_at=later)
    assert last(1) == later
