"""Visitors from whoever counts them to the weekly balance, and what becomes of sales where nobody can say."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import httpx
import pytest

from sitoo_pipeline.assets import core
from sitoo_pipeline.assets.account import account_assets
from sitoo_pipeline.assets.check_queries import VISITOR_CHECKS
from sitoo_pipeline.assets.checks import exceptions
from sitoo_pipeline.assets.computed import compute_dates
from sitoo_pipeline.assets.extract_visitors import extract_visitors
from sitoo_pipeline.assets.metadata import NOTES
from sitoo_pipeline.assets.visitor_sources import UnreadableError, look_at_source
from sitoo_pipeline.operations.status import statuses
from sitoo_pipeline.sandbox import VISITORS_METRIC, Chain, Sandbox
from sitoo_pipeline_tests import scenario
from sitoo_pipeline_tests.pipeline.project import Project, Row
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.pipeline.test_late import sale
from sitoo_pipeline_tests.sitoo.server import Server, refusal, script_of

TODAY = datetime.now(ZoneInfo("Europe/Stockholm")).date()
FIRST, SECOND = DAYS = [TODAY - timedelta(days=back) for back in (3, 2)]
MARCH = [date(2026, 3, 2), date(2026, 3, 3)]
METRIC = {"key": VISITORS_METRIC, "grouping": "date_store", "type": "series", "format": "integer"}


@dataclass
class Counted:
    """A chain of which one store has a counter, taken through Dagster to the targets."""

    project: Project
    values: list[Json]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Counted]:
    folder = tmp_path_factory.mktemp("visitors")
    with Sandbox(chain=Chain(stores=2, opened=date(2026, 3, 1), orders_per_day=20)) as sandbox:
        more = f'visitors = {{ metric = "{VISITORS_METRIC}" }}\n'
        project = Project.make(folder, sandbox, start_date=MARCH[0], more=more)
        project.load(MARCH)
        asked = {"keys": VISITORS_METRIC, "date": str(MARCH[0]), "num_days": "2"}
        with httpx.Client(auth=sandbox.api_users[0], base_url=sandbox.sitoo_url) as client:
            yield Counted(project, client.get("/custom_metric_values.json", params=asked).json())


def test_every_hour_has_what_its_counter_said_and_no_other_has_any(counted: Counted) -> None:
    expected = {
        (value["store_id"], value["date"], int(entry["label"])): entry["value"]
        for value in counted.values
        for entry in value["value_series"]["series"]
        if entry["value"]
    }
    assert {(store, day) for store, day, _ in expected} == {("0101", str(day)) for day in MARCH}
    for table, hour in (("marts.hourly_sales", "local_hour"), ("marts.weekly_balance_hourly", "hour")):
        rows = counted.project.query(
            f"SELECT store_id, business_date::VARCHAR AS day, {hour} AS hour, visitors FROM {table} WHERE visitors > 0"
        )
        assert {(row["store_id"], row["day"], row["hour"]): row["visitors"] for row in rows} == expected
    days = counted.project.query(
        "SELECT store_id, channel, count(visitors) AS days, sum(visitors) > sum(transactions) AS more "
        "FROM marts.daily_sales GROUP BY ALL ORDER BY ALL"
    )
    assert [tuple(row.values()) for row in days] == [
        ("0101", "pos", 2, True),
        ("0102", "pos", 0, None),
        ("unknown", "online", 0, None),
    ]


def test_they_are_delivered(counted: Counted) -> None:
    for value in counted.values:
        file = counted.project.account.exports_folder / "weekly_balance" / f"{value['date']}.csv"
        titles, *lines = file.read_text(encoding="utf-8").splitlines()
        assert titles.endswith(";Visitors")
        assert sum(int(line.rpartition(";")[2]) for line in lines) == value["value_series"]["total_value"]


def test_they_are_assets_with_checks(counted: Counted) -> None:
    with counted.project.instance() as instance:
        for layer, checks in (("raw", ["nothing_refused"]), ("core", ["no_row_twice", "columns_as_declared"])):
            key = dg.AssetKey(["kedjan", layer, "visitors"])
            assert instance.get_materialized_partitions(key) == {str(day) for day in MARCH}
            keys = [dg.AssetCheckKey(key, name) for name in checks]
            assert set(instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)) == set(keys)


def test_a_second_load_changes_nothing(counted: Counted) -> None:
    before = counted.project.content()
    counted.project.load_plainly([MARCH])
    assert counted.project.content() == before


@dataclass
class Shop:
    """A Sitoo of which one store sold at noon on two dates, and its counters can be changed."""

    folder: Path
    objects: dict[str, list[Json]]
    server: Server

    def project(self, visitors: str) -> Project:
        more = f"visitors = {{ {visitors} }}\nreread_days = 5\n" if visitors else "reread_days = 5\n"
        return Project.make(self.folder, self.server, start_date=FIRST - timedelta(days=9), users=1, more=more)

    def counts(self, *values: Json) -> None:
        self.objects["custom_metric_values"][:] = values


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    objects: dict[str, list[Json]] = {
        **{name: deepcopy(scenario.OBJECTS[name]) for name in ("stores", "warehouses", "registers", "product_groups")},
        "orders": [sale(1001, FIRST), sale(1002, SECOND)],
        "custom_metrics": [METRIC],
        "custom_metric_values": [],
    }
    with Server(Script(objects)) as server:
        yield Shop(tmp_path, objects, server)


def value(day: date, *hours: tuple[Any, Any], store: str = "0101", **more: Any) -> Json:
    series = [{"label": label, "value": number} for label, number in hours]
    told = {"value_series": {"total_count": len(series), "total_value": 0, "series": series}} if hours else {}
    return {"key": VISITORS_METRIC, "date": str(day), "store_id": store, **told, **more}


def visitors(project: Project) -> list[tuple[Any, ...]]:
    rows = project.query("SELECT business_date, transactions, visitors FROM marts.daily_sales ORDER BY ALL")
    return [tuple(row.values()) for row in rows]


def refused(project: Project) -> list[tuple[Any, ...]]:
    rows = project.query("SELECT business_date, rule, path, object_key FROM meta.quarantine ORDER BY ALL")
    return [tuple(row.values()) for row in rows]


def test_what_is_counted_late_is_found_and_its_date_alone_loaded_again(shop: Shop) -> None:
    project = shop.project('metric = "cm_visitors"')
    shop.counts(value(FIRST, ("12", 9)))
    shop.server.seen.clear()
    project.load_plainly([DAYS])
    asked = [request.query for request in shop.server.seen if request.path == "/custom_metric_values.json"]
    assert asked == [{"keys": "cm_visitors", "date": str(FIRST), "num_days": "2"}]
    assert visitors(project) == [(FIRST, 1, 9), (SECOND, 1, None)]
    assert project.poll("late_visitors").dates == set()
    shop.counts(value(FIRST, ("12", 9)), value(SECOND, ("12", 3), ("13", 4)))
    assert project.poll("late_visitors").dates == {SECOND}
    project.load_plainly([[SECOND]])
    assert visitors(project) == [(FIRST, 1, 9), (SECOND, 1, 7)]
    moved = project.query("SELECT business_date, measure, before, after FROM meta.reload_diffs")
    assert [(row["business_date"], row["measure"], row["after"]) for row in moved] == [(SECOND, "visitors", 7)]
    shop.counts(value(FIRST, ("12", 9)), value(SECOND, ("12", 3), ("13", 4)), value(FIRST, ("10", 1), store="0999"))
    assert project.poll("late_visitors").dates == {FIRST}  # what will be refused is to be seen
    project.load_plainly([[FIRST]], as_far_as="core")
    assert refused(project) == [(FIRST, "store_unknown", "store_id", f"cm_visitors/{FIRST}/0999")]
    assert project.poll("late_visitors").dates == set()
    shop.counts()
    assert project.poll("late_visitors").dates == set(DAYS)  # taken back


def test_where_the_metric_cannot_be_read_what_was_counted_stays(shop: Shop) -> None:
    project = shop.project('metric = "cm_visitors"')
    project.load_plainly([])
    assert look_at_source(project.runtime) == "the custom metric cm_visitors"
    shop.counts(value(FIRST, ("12", 9), ("25", 1)), value(FIRST, store="0102", value_scalar=8, novelty=1))
    extract_visitors(project.runtime, DAYS, run_id="good")
    project.runtime.warehouse.publish()
    before = project.content()
    assert len(before["raw.visitors"]) == 2
    assert [rule for _, rule, *_ in refused(project)] == ["hour_of_day"]
    for change, said in (
        ({"custom_metrics": list[Json]()}, "Sitoo has no custom metric cm_visitors"),
        ({"custom_metrics": [{**METRIC, "grouping": "store"}]}, "is grouped by store and not by date_store"),
        ({"custom_metrics": [METRIC]}, "cannot be read (400"),
        (None, "cannot be read (404"),
    ):
        if change is None:
            del shop.objects["custom_metrics"], shop.objects["custom_metric_values"]
        else:
            shop.objects.update(change)
        shop.server.script = script_of(refusal(400)) if "400" in said else Script(shop.objects)
        extracted = extract_visitors(project.runtime, DAYS, run_id="bad")
        assert {day: loaded.status for day, loaded in extracted.loaded.items()} == dict.fromkeys(DAYS, "unchanged")
        [note] = extracted.notes
        assert said in note
        assert "so no visitors are loaded" in note
        with pytest.raises(UnreadableError, match=re.escape(note)):
            look_at_source(project.runtime)
    [asset] = [
        one
        for one in account_assets(project.runtime).assets
        if isinstance(one, dg.AssetsDefinition) and one.keys == {dg.AssetKey(["kedjan", "raw", "visitors"])}
    ]
    made = dg.materialize([asset], partition_key=str(FIRST)).asset_materializations_for_node(asset.op.name)
    assert [event.metadata[NOTES].value for event in made] == [note]
    project.runtime.warehouse.publish()
    assert project.content() == before
    assert project.query("SELECT path FROM meta.drift WHERE table_name = 'raw.visitors'") == [{"path": "novelty"}]
    assert project.poll("late_visitors").dates == set()


def test_more_sales_than_visitors_are_pointed_at(shop: Shop) -> None:
    project = shop.project('metric = "cm_visitors"')
    shop.objects["orders"].append(sale(1003, FIRST, 13) | {"currencycode": "EUR"})  # who pays in euros came in too
    shop.counts(value(FIRST, ("12", 1)), value(SECOND, ("12", 1)))
    project.load_plainly([DAYS])
    with project.runtime.warehouse.connect() as con:
        found = exceptions(con, VISITOR_CHECKS[0], DAYS, hold_back_above=None)
    assert found.select("business_date", "visitors", "transactions").rows() == [(FIRST, 1, 2)]


class TestFromFiles:
    TITLES = "store_id;date;hour;visitors\n"

    def test_they_are_landed_as_they_are_and_a_later_file_corrects_an_earlier_one(self, shop: Shop) -> None:
        project = shop.project('folder = "counted"')
        folder = project.account.folder / "counted"
        folder.mkdir(parents=True)
        first = f"\ufeff{self.TITLES}0101;{FIRST};12;9\n0101;{SECOND};12;5\n0101;{FIRST};noon;1\n".encode()
        (folder / "2026-a.csv").write_bytes(first)
        (folder / "other.txt").write_text("not read")
        (folder / "bad.csv").write_bytes(b"store_id;date;visitors\n0101;\xff\n")
        project.load_plainly([DAYS])
        assert visitors(project) == [(FIRST, 1, 9), (SECOND, 1, 5)]
        assert refused(project) == [(FIRST, "hour_of_day", "hour", "2026-a.csv:4"), (FIRST, "utf_8", "", "bad.csv:2")]
        [landed] = project.query("SELECT DISTINCT _landing_file AS file, source FROM raw.visitors")
        assert landed["source"] == "2026-a.csv"
        assert gzip.decompress((project.account.landing_folder / landed["file"]).read_bytes()) == first
        # What tells no date stays with the date that met it.
        project.load_plainly([[SECOND], [FIRST]], as_far_as="core")
        assert [row[1] for row in refused(project)] == ["hour_of_day", "utf_8"]
        (folder / "bad.csv").unlink()
        (folder / "2026-b.csv").write_text(f"{self.TITLES}0101;{SECOND};12:00;6\n0101;{SECOND};13;1\n")
        assert project.poll("late_visitors").dates == {SECOND}
        project.load_plainly([DAYS])
        assert visitors(project) == [(FIRST, 1, 9), (SECOND, 1, 7)]
        assert refused(project) == [
            (FIRST, "hour_of_day", "hour", "2026-a.csv:4"),
            (SECOND, "counted_again", "visitors", "2026-a.csv:3"),
        ]

    def test_a_folder_that_is_empty_or_gone_takes_nothing_away(self, shop: Shop) -> None:
        project = shop.project('folder = "counted"')
        folder = project.account.folder / "counted"
        folder.mkdir(parents=True)
        (folder / "a.csv").write_text(f"store_id,date,visitors\n0101,{FIRST},90\n")
        project.load_plainly([[FIRST]])
        assert look_at_source(project.runtime) == f"1 CSV files in {folder}"
        (folder / "a.csv").unlink()  # as where a share is not mounted
        with pytest.raises(UnreadableError, match=r"there is no file \*\.csv in"):
            look_at_source(project.runtime)
        assert project.poll("late_visitors").dates == set()
        folder.rmdir()
        project.load_plainly([DAYS])
        assert visitors(project) == [(FIRST, 1, 90), (SECOND, 1, None)]
        weekly: list[Row] = project.query("SELECT sum(visitors) AS visitors FROM marts.weekly_balance_hourly")
        assert weekly[0]["visitors"] == 0  # nobody can say in which hours they came


def test_dates_from_before_there_was_a_counter_lack_nothing(shop: Shop) -> None:
    shop.project("").load_plainly([[FIRST]])
    project = shop.project('metric = "cm_visitors"')
    shop.counts(value(FIRST, ("12", 9)))
    with project.home():
        [status] = statuses(project.account, [FIRST])
    assert (status.absent, status.outdated) == ([], {})
    extract_visitors(project.runtime, [FIRST], run_id="more")
    with project.runtime.warehouse.connect():
        compute_dates(project.runtime, core.VISITORS, [FIRST], "more")
    with project.home():
        [status] = statuses(project.account, [FIRST])
    assert status.outdated == dict.fromkeys(
        ["marts.hourly_sales", "marts.register_sales", "marts.daily_sales"], "core.visitors"
    )
