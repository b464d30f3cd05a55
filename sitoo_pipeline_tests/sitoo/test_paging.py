"""Paging by id and by position, against lists that move while they are read."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitoo_pipeline.sitoo import RESOURCES, Scope, land
from sitoo_pipeline.sitoo.errors import PermanentSitooError, TransientSitooError
from sitoo_pipeline_tests.sitoo.conftest import Connect, Serve
from sitoo_pipeline_tests.sitoo.server import (
    Answer,
    Record,
    Request,
    answer,
    by_cursor,
    by_position,
    refusal,
    script_of,
)
from sitoo_pipeline_tests.sitoo.test_landing import records_in

ORDERS = RESOURCES["orders"]
STORES = RESOURCES["stores"]
SMALL = st.integers(min_value=1, max_value=7)


class TestIdCursor:
    def test_nothing_is_missed_or_doubled_whatever_is_sold_meanwhile(
        self, serve: Serve, connect: Connect, tmp_path: Path
    ) -> None:
        server = serve(script_of(refusal(500)))
        client = connect(server)

        @settings(max_examples=60, deadline=None)
        @given(
            ids=st.sets(st.integers(1, 60)),
            sold=st.lists(st.integers(0, 3), max_size=6),
            page_size=SMALL,
            cap=SMALL,
            counted=st.booleans(),
        )
        def check(ids: set[int], sold: list[int], page_size: int, cap: int, counted: bool) -> None:
            orders = [{"orderid": one, "orderdate": 0} for one in sorted(ids)]
            meanwhile = list(sold)

            def script(request: Request) -> Answer:
                page = by_cursor(orders, request.query, cursor="orderid", date="orderdate", most=cap)
                for _ in range(meanwhile.pop(0) if meanwhile else 0):
                    orders.append({"orderid": max([100, *(one["orderid"] for one in orders)]) + 1, "orderdate": 0})
                return answer(page if counted else {"items": page["items"]})

            server.script = script
            landed = land(client=client, resource=replace(ORDERS, page_size=page_size), folder=tmp_path / "day")
            got = [one["orderid"] for one in records_in(landed)]
            assert got == sorted(set(got))
            assert ids <= set(got) <= {one["orderid"] for one in orders}

        check()

    def test_every_parameter_is_named(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(lambda request: answer(by_cursor(ORDERS_7, request.query, cursor="orderid", date="orderdate")))
        land(client=connect(server), resource=replace(ORDERS, page_size=5), folder=tmp_path / "day")
        first, second = server.queries
        assert {name: first[name] for name in ("sort", "start", "num")} == {"sort": "orderid", "start": "0", "num": "5"}
        assert "orderidfrom" not in first
        assert second["orderidfrom"] == "5"
        assert {"orderid", "creditorderid", "reservedpayments", "moneyfinal_salestax"} <= set(
            first["fields"].split(",")
        )

    def test_a_tail_starts_where_it_is_told(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(lambda request: answer(by_cursor(ORDERS_7, request.query, cursor="orderid", date="orderdate")))
        landed = land(
            client=connect(server), resource=ORDERS, folder=tmp_path / "tail", extra_params={"orderidfrom": 4}
        )
        assert [one["orderid"] for one in records_in(landed)] == [4, 5, 6]

    @pytest.mark.parametrize(
        "ignored",
        [
            pytest.param({"sort"}, id="newest first"),
            pytest.param({"orderidfrom"}, id="always the first page"),
            pytest.param({"sort", "orderidfrom", "start", "num"}, id="everything"),
        ],
    )
    def test_a_server_that_ignores_what_it_is_asked(
        self, serve: Serve, connect: Connect, tmp_path: Path, ignored: set[str]
    ) -> None:
        def script(request: Request) -> Answer:
            query = {name: value for name, value in request.query.items() if name not in ignored}
            return answer(by_cursor(ORDERS_7, query, cursor="orderid", date="orderdate"))

        with pytest.raises(PermanentSitooError, match="do not come in the order of orderid"):
            land(client=connect(serve(script)), resource=replace(ORDERS, page_size=3), folder=tmp_path / "day")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("page", [{"totalcount": 3, "items": []}, {"totalcount": 9, "items": [{"orderid": 1}]}])
    def test_fewer_records_than_were_counted(
        self, serve: Serve, connect: Connect, tmp_path: Path, page: Record
    ) -> None:
        server = serve(script_of(answer(page), answer({"totalcount": 0, "items": []})))
        server_total = page["totalcount"]
        with pytest.raises(TransientSitooError, match=f"counted {server_total} records and gave"):
            land(client=connect(server), resource=ORDERS, folder=tmp_path / "day")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("total", [1, 2])
    def test_a_total_that_is_too_small_ends_nothing(
        self, serve: Serve, connect: Connect, tmp_path: Path, total: int
    ) -> None:
        def script(request: Request) -> Answer:
            page = by_cursor(ORDERS_7, request.query, cursor="orderid", date="orderdate", most=3)
            return answer({**page, "totalcount": total})

        landed = land(client=connect(serve(script)), resource=ORDERS, folder=tmp_path / "day")
        assert landed.records == 7

    @pytest.mark.parametrize("lost", [{0}, {2}, {6}, {0, 1, 2}, {3, 4, 5, 6}, set(range(7))])
    @pytest.mark.parametrize("page_size", [1, 2, 3, 7, 100])
    def test_records_without_an_id_are_passed_on_and_stop_nothing(
        self, serve: Serve, connect: Connect, tmp_path: Path, lost: set[int], page_size: int
    ) -> None:
        def script(request: Request) -> Answer:
            page = by_cursor(ORDERS_7, request.query, cursor="orderid", date="orderdate")
            items = [{"was": one["orderid"]} if one["orderid"] in lost else one for one in page["items"]]
            return answer({**page, "items": items})

        resource = replace(ORDERS, page_size=page_size)
        landed = land(client=connect(serve(script)), resource=resource, folder=tmp_path / "day")
        got = records_in(landed)
        assert {one["orderid"] for one in got if "orderid" in one} == set(range(7)) - lost
        assert {one["was"] for one in got if "was" in one} == lost

    def test_records_without_an_id_that_never_end(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(script_of(answer({"items": [{"name": "?"}, None, "text", {"orderid": "7"}]})))
        with pytest.raises(PermanentSitooError, match="order of orderid"):
            land(client=connect(server), resource=ORDERS, folder=tmp_path / "day")

    def test_warehouse_transactions_page_by_their_own_id(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        moves = [{"warehousetransactionid": n, "datecreated": 1000 - n} for n in range(9)]

        def script(request: Request) -> Answer:
            assert request.path == "/sites/2/warehousetransactions.json"
            return answer(by_cursor(moves, request.query, cursor="warehousetransactionid", date="datecreated"))

        resource = replace(RESOURCES["warehouse_transactions"], page_size=4)
        landed = land(client=connect(serve(script)), resource=resource, folder=tmp_path / "w", scope=Scope(sites=(2,)))
        assert records_in(landed) == moves


class TestTotalsThatCountWhatIsHidden:
    """Sitoo counts orders of a site that this API user may not see."""

    @pytest.mark.parametrize("hidden", [{0}, {3}, {6}, {2, 3, 4}, {0, 1, 5, 6}, set(range(7))])
    @pytest.mark.parametrize("page_size", [1, 2, 3, 7, 100])
    def test_what_can_be_seen_is_taken_and_the_rest_said(
        self, serve: Serve, connect: Connect, tmp_path: Path, hidden: set[int], page_size: int
    ) -> None:
        server = serve(lambda request: answer(without(hidden, ORDERS_7, request)))
        resource = replace(ORDERS, page_size=page_size)
        landed = land(client=connect(server), resource=resource, folder=tmp_path / "day")
        assert [one["orderid"] for one in records_in(landed)] == sorted(set(range(7)) - hidden)
        assert landed.unseen == len(hidden)

    def test_a_list_that_is_whole_is_read_once(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(lambda request: answer(without(set(), ORDERS_7, request)))
        landed = land(client=connect(server), resource=replace(ORDERS, page_size=5), folder=tmp_path / "day")
        assert (landed.unseen, landed.requests) == (0, 2)

    @pytest.mark.parametrize("after", range(1, 9))
    def test_what_is_sold_between_two_reads_is_not_missed(
        self, serve: Serve, connect: Connect, tmp_path: Path, after: int
    ) -> None:
        orders, requests = list(ORDERS_7), [0]

        def script(request: Request) -> Answer:
            requests[0] += 1
            if requests[0] == after:
                orders.append({"orderid": 7, "orderdate": 0})
            return answer(without({1, 4}, orders, request))

        resource = replace(ORDERS, page_size=3)
        landed = land(client=connect(serve(script)), resource=resource, folder=tmp_path / "day")
        got = [one["orderid"] for one in records_in(landed)]
        assert landed.unseen == 2
        assert set(got) >= {0, 2, 3, 5, 6} | ({7} if after <= 3 else set())

    @pytest.mark.parametrize(
        "hidden",
        [
            pytest.param([{1}, {2}, {1}, {2}], id="another record each time"),
            pytest.param([{1}, {1, 2}, {1, 2}, {1, 2}], id="one more from then on"),
            pytest.param([{1, 2, 3, 4}, {1, 2, 3}, {1, 2}, {1}], id="another number each time"),
        ],
    )
    def test_reads_that_differ_fail(
        self, serve: Serve, connect: Connect, tmp_path: Path, hidden: list[set[int]]
    ) -> None:
        reads = iter(hidden)
        now: list[set[int]] = []

        def script(request: Request) -> Answer:
            if "orderidfrom" not in request.query:
                now[:] = [next(reads)]
            return answer(without(now[0], ORDERS_7, request))

        with pytest.raises(TransientSitooError, match="counted 7 records and gave"):
            land(client=connect(serve(script)), resource=ORDERS, folder=tmp_path / "day")
        assert list(tmp_path.iterdir()) == []

    def test_a_total_that_shrinks_fails(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        totals = iter([9, 0, 8, 0])
        server = serve(lambda request: answer({**without({1}, ORDERS_7, request), "totalcount": next(totals)}))
        with pytest.raises(TransientSitooError, match="counted 9 records and gave 6"):
            land(client=connect(server), resource=ORDERS, folder=tmp_path / "day")

    def test_a_page_that_was_cut_once_is_mended(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        cut = iter([{"totalcount": 7, "items": ORDERS_7[:2]}, {"totalcount": 5, "items": []}])
        server = serve(lambda request: answer(next(cut, None) or without(set(), ORDERS_7, request)))
        landed = land(client=connect(server), resource=ORDERS, folder=tmp_path / "day")
        assert {one["orderid"] for one in records_in(landed)} == set(range(7))
        assert landed.unseen == 0

    def test_a_list_by_position_says_it_too(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        server = serve(lambda request: answer({**by_position([{"storeid": 1}], request.query), "totalcount": 3}))
        landed = land(client=connect(server), resource=STORES, folder=tmp_path / "stores")
        assert (records_in(landed), landed.unseen) == ([{"storeid": 1}], 2)


def without(hidden: set[int], orders: list[Record], request: Request) -> Record:
    """A page as Sitoo counts it, of which some orders are not shown."""
    counted = by_cursor(orders, {**request.query, "num": "1000"}, cursor="orderid", date="orderdate")
    shown = [one for one in counted["items"] if one["orderid"] not in hidden]
    return {"totalcount": counted["totalcount"], "items": shown[: int(request.query["num"])]}


ORDERS_7: list[Record] = [{"orderid": n, "orderdate": 0} for n in range(7)]


class TestOffset:
    def test_a_list_that_grows_meanwhile_is_read_as_it_is_at_the_end(
        self, serve: Serve, connect: Connect, tmp_path: Path
    ) -> None:
        server = serve(script_of(refusal(500)))
        client = connect(server)

        @settings(max_examples=60, deadline=None)
        @given(
            size=st.integers(0, 20),
            inserted=st.lists(st.tuples(st.integers(1, 4), st.integers(0, 20)), max_size=3),
            page_size=SMALL,
            cap=SMALL,
            counted=st.booleans(),
        )
        def check(size: int, inserted: list[tuple[int, int]], page_size: int, cap: int, counted: bool) -> None:
            stores = [{"storeid": number} for number in range(size)]
            moves = list(inserted)
            countdown = [moves[0][0] if moves else 0]

            def script(request: Request) -> Answer:
                countdown[0] -= 1
                if moves and countdown[0] <= 0:
                    stores.insert(moves.pop(0)[1], {"storeid": 100 + len(moves)})
                    countdown[0] = moves[0][0] if moves else 0
                page = by_position(stores, request.query, most=cap)
                return answer(page if counted else {"items": page["items"]})

            server.script = script
            landed = land(client=client, resource=replace(STORES, page_size=page_size), folder=tmp_path / "stores")
            got = [one["storeid"] for one in records_in(landed)]
            assert len(got) == len(set(got))
            assert set(range(size)) <= set(got)
            if counted:
                assert records_in(landed) == stores

        check()

    @pytest.mark.parametrize("counted", [True, False])
    def test_a_list_that_never_rests(self, serve: Serve, connect: Connect, tmp_path: Path, counted: bool) -> None:
        stores = [{"storeid": number} for number in range(10)]

        def script(request: Request) -> Answer:
            stores.insert(0, {"storeid": 10 + len(stores)})
            page = by_position(stores, request.query)
            return answer(page if counted else {"items": page["items"]})

        with pytest.raises(TransientSitooError, match="changed during each of 4 reads"):
            land(client=connect(serve(script)), resource=replace(STORES, page_size=4), folder=tmp_path / "stores")
        assert list(tmp_path.iterdir()) == []

    @pytest.mark.parametrize("document", [{"totalcount": 5, "items": [{"storeid": 1}]}, {"items": [{"storeid": 1}]}])
    def test_a_server_that_always_answers_the_first_page(
        self, serve: Serve, connect: Connect, tmp_path: Path, document: Record
    ) -> None:
        with pytest.raises(TransientSitooError, match="changed"):
            land(client=connect(serve(script_of(answer(document)))), resource=STORES, folder=tmp_path / "stores")

    def test_a_total_that_counts_what_we_may_not_see(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        def script(request: Request) -> Answer:
            return answer({**by_position([{"storeid": 1}, {"storeid": 2}], request.query), "totalcount": 3})

        landed = land(client=connect(serve(script)), resource=STORES, folder=tmp_path / "stores")
        assert records_in(landed) == [{"storeid": 1}, {"storeid": 2}]

    def test_the_page_size_is_always_asked_for(self, serve: Serve, connect: Connect, tmp_path: Path) -> None:
        registers = [{"registerid": f"{{{n}}}"} for n in range(1500)]
        server = serve(lambda request: answer(by_position(registers, request.query)))
        landed = land(client=connect(server), resource=RESOURCES["cash_registers"], folder=tmp_path / "registers")
        assert landed.records == 1500
        assert server.queries == [
            {"includenotregistered": "true", "start": "0", "num": "1000"},
            {"includenotregistered": "true", "start": "1000", "num": "1000"},
        ]
