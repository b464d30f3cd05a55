"""land(): whole folders or none, whatever happens on the way."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sitoo_pipeline.sitoo import RESOURCES, Landed, Scope, SitooClient, Window, land
from sitoo_pipeline.sitoo.errors import NotFound, PermanentSitooError, TransientSitooError
from sitoo_pipeline_tests.sitoo.conftest import Connect, Serve
from sitoo_pipeline_tests.sitoo.server import Answer, Record, Request, answer, by_added, by_cursor, by_position, refusal

DAY = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
START = DAY.first_second
ORDERS: list[Record] = [{"orderid": 7 + 3 * n, "orderdate": START + 30 * n} for n in range(2500)]


MANY = ORDERS[:200]
TENS = replace(RESOURCES["orders"], page_size=10)


def serve_orders(request: Request) -> Answer:
    return answer(by_cursor(ORDERS, request.query, cursor="orderid", date="orderdate"))


def asks_for_the_third_page(request: Request) -> bool:
    """By the id that ends the second page, or by its position behind the first."""
    return int(request.query.get("orderidfrom", 0)) + 3 * int(request.query["start"]) > 6000


def records_in(landed: Landed) -> list[Record]:
    """Every record in the order of the files; the copy with which a page asked for ahead begins is left out."""
    found: list[Record] = []
    for file in landed.files:
        page: Any = json.loads(gzip.decompress(file.read_bytes()))
        records = page["items"] if landed.layout == "envelope" else page
        found += records[1:] if found and records and records[0] == found[-1] else records
    return found


def ids_in(landed: Landed, name: str = "orderid") -> list[int]:
    return [record[name] for record in records_in(landed)]


def land_orders(client: SitooClient, folder: Path, **more: Any) -> Landed:
    return land(client=client, folder=folder, **{"resource": RESOURCES["orders"], "window": DAY, **more})


def test_every_page_is_on_disk_as_received_and_in_order(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    server = serve(serve_orders)
    landed = land_orders(connect(server), tmp_path / "landing" / "day")

    assert landed.folder == tmp_path / "landing" / "day"
    assert [file.name for file in landed.files] == ["0000.json.gz", "0001.json.gz", "0002.json.gz"]
    assert sorted(landed.folder.iterdir()) == list(landed.files)
    assert (landed.layout, landed.records, landed.requests, landed.resource) == ("envelope", 2501, 3, "orders")
    assert ids_in(landed) == [order["orderid"] for order in ORDERS]
    expected = serve_orders(Request("/orders.json", server.queries[0], {})).body
    assert gzip.decompress(landed.files[0].read_bytes()) == gzip.decompress(expected)


def test_an_empty_day_is_an_empty_folder(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    landed = land_orders(connect(serve(lambda _: answer({"totalcount": 0, "items": []}))), tmp_path / "day")
    assert (landed.files, landed.records, landed.requests) == ((), 0, 1)
    assert list(tmp_path.rglob("*")) == [tmp_path / "day"]


def test_unknown_fields_are_named_and_kept(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    order = {"orderid": 1, "orderdate": START, "tip": "1.00", "orderitems": [{"sku": "1", "newfield": 2}]}
    server = serve(lambda _: answer({"totalcount": 1, "items": [order]}))
    shape = {"orderid": None, "orderdate": None, "orderitems": {"sku": None}}
    landed = land_orders(connect(server), tmp_path / "day", shape=shape)
    assert landed.unknown_fields == {"tip", "orderitems.newfield"}
    assert records_in(landed) == [order]
    assert land_orders(connect(server), tmp_path / "day").unknown_fields == frozenset()


def test_a_landing_replaces_the_one_before(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    server = serve(serve_orders)
    client = connect(server)
    land_orders(client, tmp_path / "day")
    server.script = lambda _: answer({"totalcount": 1, "items": [{"orderid": 1, "orderdate": START}]})
    landed = land_orders(client, tmp_path / "day")
    assert ids_in(landed) == [1]
    assert sorted(tmp_path.rglob("*")) == [tmp_path / "day", tmp_path / "day" / "0000.json.gz"]


@pytest.mark.parametrize(("status", "kind"), [(500, TransientSitooError), (401, PermanentSitooError)])
def test_a_fetch_that_fails_on_its_last_page_changes_nothing(
    serve: Serve, connect: Connect, tmp_path: Path, status: int, kind: type[Exception]
) -> None:
    server = serve(serve_orders)
    client = connect(server)
    before = {file: file.read_bytes() for file in land_orders(client, tmp_path / "day").files}

    def fails_late(request: Request) -> Answer:
        return refusal(status) if asks_for_the_third_page(request) else serve_orders(request)

    server.script = fails_late
    for folder in (tmp_path / "day", tmp_path / "new"):
        with pytest.raises(kind):
            land_orders(client, folder)
    assert list(tmp_path.iterdir()) == [tmp_path / "day"]
    assert {file: file.read_bytes() for file in (tmp_path / "day").iterdir()} == before


KILLED = """
import sys
from datetime import datetime
from pathlib import Path
from sitoo_pipeline.sitoo import RESOURCES, ApiUser, SitooClient, Window, land

url, folder, start, end = sys.argv[1:]
window = Window(datetime.fromisoformat(start), datetime.fromisoformat(end))
with SitooClient(base_url=url, users=(ApiUser(api_id="1500-1", password="x"),)) as client:
    land(client=client, resource=RESOURCES["orders"], window=window, folder=Path(folder))
"""


def test_a_killed_process_leaves_no_day_behind(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    third_page = threading.Event()
    killed = threading.Event()

    def script(request: Request) -> Answer:
        if asks_for_the_third_page(request) and not killed.is_set():
            third_page.set()
            killed.wait(20)
        return serve_orders(request)

    server = serve(script)
    assert DAY.end is not None
    arguments = [server.url, str(tmp_path / "day"), DAY.start.isoformat(), DAY.end.isoformat()]
    process = subprocess.Popen([sys.executable, "-c", KILLED, *arguments])
    try:
        assert third_page.wait(20)
    finally:
        process.kill()
        process.wait()
        killed.set()
    assert not (tmp_path / "day").exists()

    [leftover] = tmp_path.iterdir()
    os.utime(leftover, (0, 0))
    landed = land_orders(connect(server), tmp_path / "day")
    assert ids_in(landed) == [order["orderid"] for order in ORDERS]
    assert list(tmp_path.iterdir()) == [tmp_path / "day"]


def test_what_another_process_is_writing_is_left_alone(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    other = tmp_path / ".day.0123"
    other.mkdir()
    land_orders(connect(serve(serve_orders)), tmp_path / "day")
    assert other.exists()


class TestSeveralApiUsers:
    def test_the_pages_of_a_list_are_shared_between_them(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        together = threading.Barrier(3)
        after_the_first = threading.Semaphore(3)

        def script(request: Request) -> Answer:
            if "orderidfrom" in request.query and after_the_first.acquire(blocking=False):
                together.wait(10)  # passes only when three requests are in flight at once
            return answer(by_cursor(MANY, request.query, cursor="orderid", date="orderdate"))

        server = serve(script)
        landed = land_orders(connect(server, users=3), tmp_path / "day", resource=TENS)
        assert ids_in(landed) == [order["orderid"] for order in MANY]
        assert [file.name for file in landed.files] == [f"{n:04d}.json.gz" for n in range(len(landed.files))]
        assert server.most_in_flight == {"1500-1": 1, "1500-2": 1, "1500-3": 1}

    def test_sites_are_split_between_them(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        def script(request: Request) -> Answer:
            site = int(request.path.split("/")[2])
            return answer(by_position([{"storeid": 10 * site + n} for n in range(3)], request.query))

        landed = land(
            client=connect(serve(script), users=2),
            resource=RESOURCES["stores"],
            scope=Scope(sites=(3, 1, 2)),
            folder=tmp_path / "stores",
        )
        assert ids_in(landed, "storeid") == [30, 31, 32, 10, 11, 12, 20, 21, 22]

    def test_one_failure_stops_the_others(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        def endless(request: Request) -> Answer:
            if request.path.startswith("/sites/2/"):
                return refusal(404)
            first = int(request.query.get("warehousetransactionidfrom", 0))
            return answer({"items": [{"warehousetransactionid": first, "datecreated": START}]})

        with pytest.raises(NotFound):
            land(
                client=connect(serve(endless), users=2),
                resource=RESOURCES["warehouse_transactions"],
                scope=Scope(sites=(1, 2)),
                folder=tmp_path / "moves",
            )
        assert list(tmp_path.iterdir()) == []


def test_many_ids_are_asked_for_in_batches(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    server = serve(serve_orders)
    wanted = [order["orderid"] for order in ORDERS[::10]]
    landed = land_orders(connect(server), tmp_path / "open", window=None, extra_params={"orderid": wanted})
    assert ids_in(landed) == wanted
    assert [len(query["orderid"].split(",")) for query in server.queries] == [100, 100, 50]


def test_what_cannot_be_asked_for_sends_nothing(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    server = serve(lambda request: answer(by_added([], request.query)))
    client = connect(server)
    for resource, more, said in [
        ("orders", {"extra_params": {"modifiedfrom": 1}}, "no parameter modifiedfrom"),
        ("stores", {"window": DAY}, "by time"),
        ("stores", {"scope": Scope(sites=())}, "by site, and the scope names none"),
    ]:
        with pytest.raises(ValueError, match=said):
            land(client=client, resource=RESOURCES[resource], folder=tmp_path / "x", **more)  # type: ignore[arg-type]
    assert server.seen == []
    assert list(tmp_path.iterdir()) == []
