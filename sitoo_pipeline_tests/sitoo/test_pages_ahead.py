"""Pages that are asked for before those in front of them are read: no idle API user, no record missed, no waste."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from queue import SimpleQueue

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sitoo_pipeline.sitoo import RESOURCES, ApiUser, RetryPolicy, Scope, land, session
from sitoo_pipeline.sitoo.errors import TransientSitooError
from sitoo_pipeline.sitoo.session import Lent, Session, Sessions, connection, receive
from sitoo_pipeline_tests.sitoo.conftest import HASTY, PASSWORD, Connect, Serve
from sitoo_pipeline_tests.sitoo.server import Answer, Record, Request, answer, by_cursor, refusal, script_of
from sitoo_pipeline_tests.sitoo.test_landing import ids_in

TENS = replace(RESOURCES["orders"], page_size=10)


def orders(count: int) -> list[Record]:
    return [{"orderid": 3 * number, "orderdate": 0} for number in range(1, count + 1)]


def page_of(listed: list[Record], request: Request, most: int = 1000) -> Answer:
    return answer(by_cursor(listed, request.query, cursor="orderid", date="orderdate", most=most))


def is_ahead(request: Request) -> bool:
    return request.query["start"] != "0"


@pytest.mark.parametrize("users", [1, 2, 5])
@pytest.mark.parametrize(
    ("count", "requests"), [(0, 1), (1, 1), (9, 1), (10, 2), (11, 2), (19, 2), (21, 3), (28, 3), (40, 5), (100, 11)]
)
def test_no_more_requests_than_pages(
    serve: Serve, connect: Connect, tmp_path: Path, users: int, count: int, requests: int
) -> None:
    """A page that begins with the last record has nine new ones; behind a full last page is asked once more."""
    listed = orders(count)
    server = serve(lambda request: page_of(listed, request))
    landed = land(client=connect(server, users=users), resource=TENS, folder=tmp_path / "day")
    assert ids_in(landed) == [order["orderid"] for order in listed]
    assert (landed.requests, len(server.seen)) == (requests, requests)


@pytest.mark.parametrize(("expected", "count", "requests"), [(10, 40, 5), (40, 40, 5), (30, 95, 11), (40, 5, 5)])
def test_what_is_expected_is_asked_for_at_once(
    serve: Serve, connect: Connect, tmp_path: Path, expected: int, count: int, requests: int
) -> None:
    """Several API users begin together; too high a guess costs the pages that are not there."""
    listed, together = orders(count), threading.Barrier(3)
    first = threading.Semaphore(3 if expected >= 30 else 0)

    def script(request: Request) -> Answer:
        if first.acquire(blocking=False):
            together.wait(10)  # passes only when three requests are in flight at once
        return page_of(listed, request)

    server = serve(script)
    landed = land(client=connect(server, users=3), resource=TENS, folder=tmp_path / "day", expected_records=expected)
    assert ids_in(landed) == [order["orderid"] for order in listed]
    assert len(server.seen) <= requests
    assert max(server.most_in_flight.values()) == 1


def test_a_request_is_in_flight_while_a_page_is_looked_at(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    listed, third = orders(25), threading.Event()

    def script(request: Request) -> Answer:
        if is_ahead(request):
            third.set()
        return page_of(listed, request)

    waited: list[bool] = []

    def look(records: int) -> None:
        waited.append(third.wait(10) if waited else True)

    landed = land(client=connect(serve(script)), resource=TENS, folder=tmp_path / "day", arrived=look)
    assert waited == [True, True, True]
    assert ids_in(landed) == [order["orderid"] for order in listed]


def test_an_api_user_goes_on_while_the_last_body_is_decoded(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """Here it cannot be decoded, so that it is asked for again; the page behind it does not wait for that."""
    listed, third = orders(25), threading.Event()

    def script(request: Request) -> Answer:
        if is_ahead(request):
            third.set()
        page = page_of(listed, request)
        second = "orderidfrom" in request.query and not is_ahead(request)
        return replace(page, body=page.body[:-9]) if second and not third.is_set() else page

    patient = RetryPolicy(attempts=20, wait_initial=0.01, wait_max=0.05)
    landed = land(client=connect(serve(script), retry=patient), resource=TENS, folder=tmp_path / "day")
    assert ids_in(landed) == [order["orderid"] for order in listed]


def test_who_passes_an_api_user_on_waits_until_the_next_request_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Decoding keeps every thread waiting, so that a request that is not on its way by then goes out much later."""
    monkeypatch.setattr(session, "_SENDING_SECONDS", 10)
    with httpx.Client() as http:
        sessions = Sessions([Session("1500-1", http)])
        holder, happened = Lent(sessions), list[str]()
        holder.session()

        def ask() -> Lent:
            lent = Lent(sessions)
            held = lent.session()
            time.sleep(0.05)
            happened.append("sent")
            held.sent.set()
            return lent

        with ThreadPoolExecutor() as pool:
            asking = pool.submit(ask)
            while not sessions.waiting:
                assert not asking.done()
            holder.pass_on()
            happened.append("decoded")
        assert happened == ["sent", "decoded"]
        begun = time.monotonic()
        asking.result().pass_on()  # nobody waits for it any more
        assert time.monotonic() - begun < 5
        assert not sessions.are_busy


@pytest.mark.parametrize("is_given", [False, True])
def test_an_interrupt_while_an_api_user_is_waited_for_loses_none(
    monkeypatch: pytest.MonkeyPatch, is_given: bool
) -> None:
    interrupts = [KeyboardInterrupt]

    class Place(SimpleQueue[Session]):
        def get(self, block: bool = True, timeout: float | None = None) -> Session:
            if interrupts:
                if is_given:
                    sessions.take_back(held)
                raise interrupts.pop()
            return super().get(block, timeout)

    monkeypatch.setattr(session, "SimpleQueue", Place)
    with httpx.Client() as http:
        sessions = Sessions([Session("1500-1", http)])
        held = sessions.lend()
        with pytest.raises(KeyboardInterrupt):
            sessions.lend()
        assert (sessions.waiting, sessions.are_busy) == (0, not is_given)


def test_a_request_counts_as_sent_before_it_is_answered(serve: Serve) -> None:
    sent: list[bool] = []

    def script(request: Request) -> Answer:
        sent.append(user.sent.wait(10))
        return page_of(orders(1), request)

    server = serve(script)
    with connection(ApiUser(api_id="1500-1", password=PASSWORD), httpx.Timeout(5)) as http:
        user = Session("1500-1", http)
        receive(user, f"{server.url}/orders.json")
    assert sent == [True]


def test_what_is_taken_out_meanwhile_makes_nothing_else_go_missing(
    serve: Serve, connect: Connect, tmp_path: Path
) -> None:
    """A parked cart goes and its sale comes: the total is as before, and every later position has moved."""
    listed, moved = orders(50), threading.Event()

    def script(request: Request) -> Answer:
        if is_ahead(request) and not moved.is_set():
            moved.set()
            del listed[14]  # of the second page
            listed.append({"orderid": 1000, "orderdate": 0})
        return page_of(listed, request)

    server = serve(script)
    landed = land(client=connect(server), resource=TENS, folder=tmp_path / "day")
    assert set(ids_in(landed)) >= {order["orderid"] for order in listed}
    assert not is_ahead(server.seen[-1]), "once positions have moved, the rest is asked for page by page"


def test_nothing_is_missed_whatever_comes_and_goes(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    server = serve(script_of(refusal(500)))
    clients = {users: connect(server, users=users, retry=HASTY) for users in (1, 3)}

    @settings(max_examples=50, deadline=None)
    @given(
        count=st.integers(0, 60),
        moves=st.lists(st.tuples(st.integers(0, 2), st.lists(st.integers(0, 80), max_size=2)), max_size=8),
        page_size=st.integers(1, 9),
        cap=st.integers(1, 9),
        users=st.sampled_from([1, 3]),
    )
    def check(count: int, moves: list[tuple[int, list[int]]], page_size: int, cap: int, users: int) -> None:
        listed, meanwhile, gone, lock = orders(count), list(moves), set[int](), threading.Lock()

        def script(request: Request) -> Answer:
            with lock:
                page = page_of(listed, request, cap)
                sold, taken = meanwhile.pop(0) if meanwhile else (0, [])
                for position in taken:
                    if position < len(listed):
                        gone.add(listed.pop(position)["orderid"])
                for _ in range(sold):
                    listed.append({"orderid": max([1000, *(one["orderid"] for one in listed)]) + 1, "orderdate": 0})
                return page

        server.script = script
        try:
            landed = land(client=clients[users], resource=replace(TENS, page_size=page_size), folder=tmp_path / "day")
        except TransientSitooError:
            assert gone  # a total that shrank; without it nothing may fail
            return
        assert set(ids_in(landed)) >= {3 * number for number in range(1, count + 1)} - gone

    check()


def test_a_total_that_promises_too_much(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """It costs the requests that were begun for it once in each read, and then only what reading page by page costs."""
    listed = orders(25)

    def script(request: Request) -> Answer:
        page = by_cursor(listed, request.query, cursor="orderid", date="orderdate")
        return answer({**page, "totalcount": page["totalcount"] + 100})

    server = serve(script)
    landed = land(client=connect(server), resource=TENS, folder=tmp_path / "day")
    assert (sorted(set(ids_in(landed))), landed.unseen) == ([order["orderid"] for order in listed], 100)
    assert len(server.seen) <= 2 * (4 + 2)


def test_whoever_waits_is_told_when_all_is_asked_for(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    """Before the last page is there. Of several lists nobody knows: what is left of the others is not asked for yet."""
    listed, told = orders(45), threading.Event()
    waited: list[bool] = []

    def script(request: Request) -> Answer:
        page = by_cursor(listed, request.query, cursor="orderid", date="orderdate")
        if page["items"][-1:] == listed[-1:]:
            waited.append(told.wait(10))
        return answer(page)

    server = serve(script)
    landed = land(client=connect(server), resource=TENS, folder=tmp_path / "one", all_asked=told.set)
    assert ids_in(landed) == [order["orderid"] for order in listed]
    assert waited == [True]

    told.clear()
    transactions = replace(RESOURCES["warehouse_transactions"], page_size=10)
    moves = [{"warehousetransactionid": number, "datecreated": 0} for number in range(1, 12)]
    server.script = lambda request: answer(
        by_cursor(moves, request.query, cursor="warehousetransactionid", date="datecreated")
    )
    sites = Scope(sites=(1, 2))
    land(client=connect(server), resource=transactions, scope=sites, folder=tmp_path / "two", all_asked=told.set)
    assert not told.is_set()


def test_a_page_asked_for_ahead_fails_the_landing(serve: Serve, connect: Connect, tmp_path: Path) -> None:
    listed = orders(100)
    server = serve(lambda request: refusal(500) if is_ahead(request) else page_of(listed, request))
    with pytest.raises(TransientSitooError, match="500"):
        land(client=connect(server, users=2), resource=TENS, folder=tmp_path / "day")
    assert list(tmp_path.iterdir()) == []
    assert sum(server.in_flight.values()) == 0
