"""A small account with a gap: two weekdays, the same a week before, the night of the doubled hour, a z-report off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest

from sitoo_pipeline.sandbox import Chain, Sandbox
from sitoo_pipeline_tests.pipeline.expected import fetch
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.sitoo.server import Server

CHAIN = Chain(stores=2, seed=3, opened=date(2026, 10, 15), orders_per_day=12)
NOW = datetime(2026, 10, 28, 12, tzinfo=UTC)
LOADED = [date(2026, 10, 17), date(2026, 10, 22), date(2026, 10, 24), date(2026, 10, 25)]
MISSING = date(2026, 10, 23)
PERIOD = ("--from", "2026-10-22", "--to", "2026-10-25")


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Project]:
    """Loaded without Dagster and handed to nobody. One order of the 24th is not what its till reported."""
    with Sandbox(chain=CHAIN, now=NOW) as sandbox:
        objects = fetch(sandbox.sitoo_url, sandbox.api_users[0])
    wrong = next(order for order in objects["orders"] if _is_till_sale(order, date(2026, 10, 24)))
    wrong["orderitems"][0]["moneyitemtotal_net"] = "9999.00"
    in_euro = [order for order in objects["orders"] if _is_till_sale(order, date(2026, 10, 25))][:2]
    at_night = int(datetime(2026, 10, 25, 0, 30, tzinfo=UTC).timestamp())
    for number, order in enumerate(in_euro):  # 02:30 by the shop's clock, twice
        order["currencycode"], order["orderdate"] = "EUR", at_night + 3600 * number
    with Server(Script(objects)) as server:
        folder = tmp_path_factory.mktemp("report")
        counters = 'visitors = { folder = "visitors" }\n'
        made = Project.make(folder, server, start_date=LOADED[0], name="demo", more=counters)
        file = folder / "sitoo_pipeline.toml"  # the command is run in other folders
        file.write_text(f'data_dir = "{folder / "data"}"\n{file.read_text(encoding="utf-8")}', encoding="utf-8")
        made = Project.read(folder, made.environ)
        (made.account.folder / "visitors").mkdir(parents=True)
        lines = ["store_id;date;visitors", *(f"0101;{day};{number}" for number, day in enumerate(LOADED[1:], start=40))]
        (made.account.folder / "visitors" / "counted.csv").write_text("\n".join(lines), encoding="utf-8")
        made.load_plainly([LOADED[:1], LOADED[1:]])
        yield made


def _is_till_sale(order: dict[str, object], on: date) -> bool:
    stamp, items = order["orderdate"], order["orderitems"]
    assert isinstance(stamp, int)
    assert isinstance(items, list)
    day = datetime.fromtimestamp(stamp, tz=CHAIN.zone).date()
    counts = (order["ordertypeid"], order["orderstateid"], order["paymentstateid"]) == (10, 10, 20)
    return day == on and counts and bool(order.get("registerid")) and [i["quantity"] > 0 for i in items] == [True]
