"""land(): whole folders or none, whatever happens on the way."""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
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


def serve_orders(request: Request) -> Answer:
    return answer(by_cursor(ORDERS, request.query, cursor="orderid", date="orderdate"))


def records_in(landed: Landed) -> list[Record]:
    pages: list[Any] = [json.loads(gzip.decompress(file.read_bytes())) for file in landed.files]
    return [record for page in pages for record in (page["items"] if landed.layout == "envelope" else page)]


def ids_in(landed: Landed, name: str = "orderid") -> list[int]:
    return [record[name] for record in records_in(landed)]


def land_orders(client: SitooClient, folder: Path, **more: Any) -> Landed:
    return land(client=client, resource=RESOURCES["orders"], folder=folder, **{"window": DAY, **more})


def test_every_page_is_on_disk_as_received_and_in_order(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    server = serve(serve_orders)
    landed = land_orders(connect(server), tmp_path / "landing" / "day")

    assert landed.folder == tmp_path / "landing" / "day"
    assert [file.name for file in landed.files] == ["0000.json.gz", "0001.json.gz", "0002.json.gz"]
    assert sorted(landed.folder.iterdir()) == list(landed.files)
    assert (landed.layout, landed.records, landed.requests, landed.resource) == ("envelope", 2500, 3, "orders")
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
        return refusal(status) if int(request.query.get("orderidfrom", 0)) > 6000 else serve_orders(request)

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
        if int(request.query.get("orderidfrom", 0)) > 6000 and not killed.is_set():
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
    WEEK = Window(datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 9, tzinfo=UTC))

    def test_a_window_is_split_between_them(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        orders: list[Record] = [{"orderid": n, "orderdate": START + 200 * n} for n in range(3000)]
        together = threading.Barrier(3)
        first_requests = threading.Semaphore(3)

        def script(request: Request) -> Answer:
            counts = request.query["num"] == "1"
            if not counts and first_requests.acquire(blocking=False):
                together.wait(10)  # passes only when three requests are in flight at once
            return answer(by_cursor(orders, request.query, cursor="orderid", date="orderdate"))

        server = serve(script)
        landed = land_orders(connect(server, users=3), tmp_path / "week", window=self.WEEK)
        assert set(ids_in(landed)) == set(range(3000))
        assert [file.name for file in landed.files] == [f"{n:04d}.json.gz" for n in range(len(landed.files))]
        assert server.most_in_flight == {"1500-1": 1, "1500-2": 1, "1500-3": 1}
        # Copies can only be at the seams: the seconds that end one part and start the next.
        assert landed.records - 3000 <= 11
        assert ids_in(landed) == sorted(ids_in(landed))

    @pytest.mark.parametrize(("orders", "parts"), [(0, 1), (1, 1), (1000, 1), (1001, 2), (2500, 3), (30_000, 8)])
    def test_it_is_cut_into_no_more_parts_than_it_has_pages(
        self, serve: Serve, connect: Connect, tmp_path: Path, orders: int, parts: int
    ) -> None:
        sold: list[Record] = [{"orderid": n, "orderdate": START + 604_800 * n // orders} for n in range(orders)]
        server = serve(lambda request: answer(by_cursor(sold, request.query, cursor="orderid", date="orderdate")))
        landed = land_orders(connect(server, users=2), tmp_path / "week", window=self.WEEK)
        assert set(ids_in(landed)) == set(range(orders))
        assert len({query["orderdatefrom"] for query in server.queries}) == parts
        counting = [query for query in server.queries if query["num"] == "1"]
        assert [(query["fields"], query["orderdatefrom"]) for query in counting] == [("orderid", str(START))]

    def test_what_is_not_cut_is_not_counted(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(serve_orders)
        client = connect(server, users=2)
        half_a_day = Window(DAY.start, DAY.start + timedelta(hours=12))
        for window in (half_a_day, Window(DAY.start, None), None):
            server.seen.clear()
            land_orders(client, tmp_path / "day", window=window)
            assert {query["num"] for query in server.queries} == {"1000"}
        server.seen.clear()
        land_orders(client, tmp_path / "open", extra_params={"orderid": [7, 10]})
        assert len(server.seen) == 1
        server.seen.clear()
        land_orders(connect(server, users=1), tmp_path / "week", window=self.WEEK)
        assert {query["num"] for query in server.queries} == {"1000"}

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
