"""Products: read whole once, then what changed; gift cards known by them; an account that may not read them."""

from __future__ import annotations

import stat
import time
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from sitoo_pipeline.assets import core
from sitoo_pipeline.assets import marts as mart_assets
from sitoo_pipeline.assets.computed import compute_dates, compute_whole
from sitoo_pipeline.assets.extract import extract_dates
from sitoo_pipeline.assets.extract_reference import extract_reference
from sitoo_pipeline.tables import marts, raw
from sitoo_pipeline.warehouse.sources import table_frame
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.expected import differing_cells, oracle
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.scenario.objects import Json, line, order
from sitoo_pipeline_tests.sitoo.server import Answer, Request, Server, answer, by_cursor, by_position, refusal
from sitoo_pipeline_tests.warehouse.support import documented

DAY = date(2026, 3, 2)
REFERENCE, ORDERS, *_ = core.COMPUTATIONS
HOURLY, DAILY, *_ = mart_assets.COMPUTATIONS
GIFT_CARDS, CLOTHES = 5, 2
"""Product groups of the scenario by number."""


def product(number: int, group: int, title: str = "Vara", **fields: Any) -> Json:
    return {**documented("products")["items"][0], "productid": number, "vatid": group, "title": title, **fields}


def sales() -> list[Json]:
    """A gift card that only its product tells, a shirt, and one whose product nobody knows."""
    items = [line("500.00", "0.00", productid=70, group=""), line("80.00", "20.00", productid=71, group="")]
    return [
        order(1, f"{DAY}T10:00:00+01:00", *items, store="0101", register=scenario.REGISTERS[0]["registerid"]),
        order(2, f"{DAY}T11:00:00+01:00", line("8.00", "2.00", productid=99, group=""), store="0101"),
    ]


@dataclass
class Shop:
    """An account at work, and what Sitoo has of it."""

    project: Project
    script: Script
    server: Server
    refused: list[str]

    def load(self) -> None:
        """Reference data, then the sales of the day as far as the daily figures."""
        runtime = self.project.runtime
        self.server.seen.clear()
        with runtime.warehouse.connect():
            for table in raw.REFERENCE:
                extract_reference(runtime, table, run_id="plain")
            compute_whole(runtime, REFERENCE, "plain")
            extract_dates(runtime, raw.ORDERS, [DAY], run_id="plain")
            for computation in (ORDERS, HOURLY, DAILY):
                compute_dates(runtime, computation, [DAY], "plain")

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        return self.project.runtime.warehouse.query(sql).rows()

    @property
    def asked(self) -> list[dict[str, str]]:
        return [request.query for request in self.server.seen if request.path.endswith("/products.json")]

    def sold(self) -> tuple[Decimal, Decimal]:
        [(goods, gift_cards)] = self.query(
            "SELECT sum(gross_sales)::DECIMAL(18,2), sum(gift_card_sales)::DECIMAL(18,2) FROM marts.daily_sales"
        )
        return goods, gift_cards


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    names = ("stores", "warehouses", "registers", "product_groups")
    objects = {name: deepcopy(scenario.OBJECTS[name]) for name in names}
    script = Script(objects | {"orders": sales(), "products": [product(70, GIFT_CARDS), product(71, CLOTHES)]})
    refused: list[str] = []

    def answers(request: Request) -> Answer:
        return refusal(403, "Forbidden") if request.path in refused else script(request)

    with Server(answers) as server:
        yield Shop(Project.make(tmp_path, server, start_date=DAY, users=1), script, server, refused)


def test_a_gift_card_is_known_by_its_product(shop: Shop) -> None:
    shop.load()
    assert shop.sold() == (Decimal("110.00"), Decimal("500.00"))
    figures = oracle({**shop.script.objects, "z_reports": []}, dates=[DAY], start_date=DAY)
    with shop.project.runtime.warehouse.connect() as con:
        for table in (marts.HOURLY_SALES, marts.DAILY_SALES):
            ours = table_frame(con, table).to_dicts()
            assert differing_cells(ours, getattr(figures, table.name)(), table) == []
    rows = shop.query("SELECT product_id, product_group_name, product_group_type FROM core.products ORDER BY 1")
    assert rows == [(70, "Presentkort", 30), (71, "Kläder", 10)]


def test_all_are_read_once_and_then_what_changed(shop: Shop) -> None:
    before = int(time.time())
    shop.load()
    [first] = shop.asked
    assert first["includeinactive"] == "true"
    assert {"vatid", "title", "productgrouptype"} <= set(first["fields"].split(","))
    assert "datelastmodified" not in first
    shop.load()
    [then] = shop.asked
    assert 0 <= int(then["datelastmodified"]) - (before - 86_400) <= 60


def test_a_deleted_product_still_decides_about_its_sales(shop: Shop) -> None:
    shop.load()
    shop.script.objects["products"][:] = [product(71, CLOTHES, "Tröja")]
    shop.load()
    assert shop.sold() == (Decimal("110.00"), Decimal("500.00"))
    assert shop.query("SELECT product_id, title FROM core.products ORDER BY 1") == [(70, "Vara"), (71, "Tröja")]


def test_another_group_counts_when_the_day_is_made_again(shop: Shop) -> None:
    shop.load()
    shop.script.objects["products"][1] = product(71, GIFT_CARDS)
    runtime = shop.project.runtime
    extract_reference(runtime, raw.PRODUCTS, run_id="later")
    compute_whole(runtime, REFERENCE, "later")
    marked = "SELECT count(*) FROM core.order_lines WHERE is_gift_card"
    assert shop.query(marked) == [(1,)]
    compute_dates(runtime, ORDERS, [DAY], "later")
    assert shop.query(marked) == [(2,)]


@pytest.mark.parametrize("status", [403, 404])
def test_products_that_may_not_be_read_stop_nothing(shop: Shop, status: int) -> None:
    script = shop.server.script
    shop.server.script = lambda request: refusal(status) if "/products" in request.path else script(request)
    shop.load()
    assert shop.sold() == (Decimal("610.00"), Decimal("0.00"))
    extracted = extract_reference(shop.project.runtime, raw.PRODUCTS, run_id="again")
    [note] = extracted.notes
    assert f"the products of site 1 cannot be read ({status} " in note
    shop.server.script = script
    shop.load()
    assert "datelastmodified" not in shop.asked[0]
    assert shop.sold() == (Decimal("110.00"), Decimal("500.00"))


def test_what_cannot_be_seen_is_said_once_by_a_run(shop: Shop) -> None:
    """Products that may not be read, and orders that are counted and not shown."""
    shop.refused.append("/sites/1/products.json")
    script = shop.server.script
    hidden = order(3, f"{DAY}T12:00:00+01:00", line("1.00", "0.25"))
    orders = shop.script.objects["orders"]

    def answers(request: Request) -> Answer:
        if request.path != "/orders.json":
            return script(request)
        page = by_cursor([*orders, hidden], request.query, cursor="orderid", date="orderdate")
        return answer(page | {"items": [one for one in page["items"] if one is not hidden]})

    shop.server.script = answers
    outcome = shop.project.run([DAY], sinks=False)
    assert (outcome.failed, outcome.done, outcome.warnings) == ({}, [DAY], [])
    assert [note.partition(":")[0] for note in outcome.notes] == ["raw.products", f"{DAY} raw.orders"]
    assert "cannot be read (403 Forbidden" in outcome.notes[0]
    assert "counted 1 more orders than it shows" in outcome.notes[1]


def test_each_site_has_its_products(shop: Shop) -> None:
    """Number 71 is a shirt at site 1 and a gift card at site 2."""
    site = shop.script.sites[0]
    shop.script.sites = [site, site | {"eshopid": 2}]
    of_site_2 = [product(71, GIFT_CARDS)]
    script = shop.server.script
    broken = [True]

    def answers(request: Request) -> Answer:
        if not request.path.startswith("/sites/2/"):
            return script(request)
        if request.path == "/sites/2/products.json":
            return refusal(400, "Broken") if broken[0] else answer(by_position(of_site_2, request.query))
        return answer({"totalcount": 0, "items": []})

    shop.server.script = answers
    shop.script.objects["orders"].append(
        order(3, f"{DAY}T12:00:00+01:00", line("300.00", "0.00", productid=71, group=""), store="0101") | {"eshopid": 2}
    )
    with pytest.raises(Exception, match="/sites/2/products"):
        shop.load()
    broken[0] = False
    shop.load()
    # Site 1 was loaded when site 2 failed: it is asked for what changed, site 2 for everything.
    assert ["datelastmodified" in query for query in shop.asked] == [True, False]
    assert shop.sold() == (Decimal("110.00"), Decimal("800.00"))


def test_a_folder_that_is_made_is_its_owners_alone(shop: Shop) -> None:
    folder = shop.project.account.folder
    assert not folder.exists()
    extract_reference(shop.project.runtime, raw.SITES, run_id="first")
    assert {file.name for file in folder.iterdir()} == {"landing", "warehouse.duckdb"}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    folder.chmod(0o750)
    extract_reference(shop.project.runtime, raw.STORES, run_id="second")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o750
