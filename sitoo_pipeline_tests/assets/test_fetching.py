"""Fetching piece by piece: two pieces ahead of the caller, what two pieces share once, and nothing left behind."""

from __future__ import annotations

import gzip
import itertools
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from sitoo_pipeline.assets import fetching, pieces
from sitoo_pipeline.assets.fetching import Fetched, Fetcher
from sitoo_pipeline.assets.landing import remove
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.windows import window
from sitoo_pipeline.sitoo import RESOURCES
from sitoo_pipeline.sitoo.errors import TransientSitooError
from sitoo_pipeline.tables import raw
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.pipeline.scripted import Json, Script
from sitoo_pipeline_tests.sitoo.server import Answer, Request, Server, refusal

FIRST = date(2026, 3, 2)
PIECES = [[FIRST + timedelta(days=start + day) for day in range(2)] for start in (0, 2, 4)]
ORDERS: list[Json] = [
    {"orderid": number, "orderdate": int(datetime(2026, 2, 28, tzinfo=UTC).timestamp()) + 3600 * number, "eshopid": 1}
    for number in range(1, 24 * 12)
]
"""One each hour, from before the first window to after the last."""


@dataclass
class Sitoo:
    """A server whose requests for orders a test can watch and spoil."""

    server: Server
    runtime: Runtime

    @property
    def windows(self) -> list[tuple[int, int]]:
        """What was asked for, once for each list."""
        asked = [request.query for request in self.server.seen if "orderdatefrom" in request.query]
        return list(dict.fromkeys((int(query["orderdatefrom"]), int(query["orderdateto"])) for query in asked))


@pytest.fixture
def sitoo(tmp_path: Path) -> Iterator[Sitoo]:
    with Server(Script({"orders": ORDERS})) as server:
        yield Sitoo(server, Project.make(tmp_path, server, start_date=FIRST).runtime)


def ids(fetched: Fetched) -> set[int]:
    return {
        record["orderid"]
        for file in fetched.landed.files
        for record in json.loads(gzip.decompress(file.read_bytes()))["items"]
    }


def needed(runtime: Runtime, dates: list[date]) -> set[int]:
    span = window(runtime, raw.ORDERS, dates)
    assert span.end_second
    return {one["orderid"] for one in ORDERS if span.first_second <= one["orderdate"] < span.end_second}


def starts_with(request: Request, runtime: Runtime, dates: list[date]) -> bool:
    """Whether a request is for the window that ends with ``dates``."""
    return request.query.get("orderdateto") == str(window(runtime, raw.ORDERS, dates).end_second)


def landed_folders(runtime: Runtime) -> list[Path]:
    return sorted((runtime.account.landing_folder / "orders").glob("*/*"))


def test_every_piece_has_what_it_needs_and_nothing_is_asked_for_twice(sitoo: Sitoo) -> None:
    runtime = sitoo.runtime
    with Fetcher(runtime, raw.ORDERS, PIECES) as fetcher:
        for dates in PIECES:
            assert ids(fetcher.take(dates)) >= needed(runtime, dates)
    ends = [int(window(runtime, raw.ORDERS, dates).end_second or 0) for dates in PIECES]
    begin = window(runtime, raw.ORDERS, PIECES[0]).first_second
    assert sitoo.windows == list(zip([begin, *ends], ends, strict=False))
    # One for the newest id, and one for each piece.
    assert len(sitoo.server.seen) == 1 + len(PIECES)


def test_pieces_shorter_than_what_they_share(sitoo: Sitoo) -> None:
    days = [[FIRST + timedelta(days=number)] for number in range(4)]
    with Fetcher(sitoo.runtime, raw.ORDERS, days) as fetcher:
        for dates in days:
            assert ids(fetcher.take(dates)) >= needed(sitoo.runtime, dates)


def taken(sitoo: Sitoo, given: list[list[date]]) -> list[tuple[date, ...]]:
    """The dates of each fetch, which together had all that they needed."""
    found = []
    with Fetcher(sitoo.runtime, raw.ORDERS, given) as fetcher:
        for dates in fetcher.pieces():
            assert ids(fetcher.take(dates)) >= needed(sitoo.runtime, list(dates))
            found.append(dates)
    assert [day for dates in found for day in dates] == [day for piece in given for day in piece]
    return found


def test_one_day_tells_how_many_are_fetched_at_once(sitoo: Sitoo) -> None:
    assert [len(dates) for dates in taken(sitoo, PIECES)] == [1, 1, 2, 2]
    assert [len(dates) for dates in taken(sitoo, PIECES[:1])] == [2]


def test_much_is_fetched_in_small_pieces_that_become_smaller(sitoo: Sitoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "_WORTH_A_REQUEST", 40)  # of 24 orders a day
    assert [len(dates) for dates in taken(sitoo, [[day for piece in PIECES for day in piece]])] == [6]
    week = [[FIRST], [FIRST + timedelta(days=number) for number in range(1, 8)]]
    assert [len(dates) for dates in taken(sitoo, week)] == [1, 4, 2, 1]
    monkeypatch.setattr(pieces, "_FETCHED", 60)
    assert [len(dates) for dates in taken(sitoo, week)] == [1, 2, 2, 2, 1]


def test_who_gives_up_hears_of_every_date_once(sitoo: Sitoo) -> None:
    with Fetcher(sitoo.runtime, raw.ORDERS, PIECES) as fetcher:
        heard: list[date] = []
        for dates in fetcher.pieces():
            heard += dates
            if len(heard) < 3:
                fetcher.take(dates)
    assert heard == [day for piece in PIECES for day in piece]


def test_a_fetch_that_cannot_even_begin_ends(sitoo: Sitoo, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Fetcher, "_begin", lambda _: (_ for _ in ()).throw(LookupError))
    heard: list[date] = []
    with Fetcher(sitoo.runtime, raw.ORDERS, PIECES) as fetcher:
        for dates in itertools.islice(fetcher.pieces(), 20):
            heard += dates
            with pytest.raises(LookupError):
                fetcher.take(dates)
    assert heard == [day for piece in PIECES for day in piece]


def test_pieces_that_do_not_touch_are_fetched_each_for_itself(sitoo: Sitoo) -> None:
    apart = [PIECES[0], PIECES[2]]
    with Fetcher(sitoo.runtime, raw.ORDERS, apart) as fetcher:
        for dates in apart:
            assert ids(fetcher.take(dates)) >= needed(sitoo.runtime, dates)
    spans = [window(sitoo.runtime, raw.ORDERS, dates) for dates in apart]
    assert sitoo.windows == [(span.first_second, span.end_second) for span in spans]


def test_the_next_two_pieces_and_no_more_are_fetched_while_one_is_loaded(sitoo: Sitoo) -> None:
    days = [[FIRST + timedelta(days=number)] for number in range(4)]
    asked, second_taken, too_early = threading.Semaphore(0), threading.Event(), threading.Event()
    answered = sitoo.server.script

    def script(request: Request) -> Answer:
        if any(starts_with(request, sitoo.runtime, dates) for dates in days[1:3]):
            asked.release()
        if starts_with(request, sitoo.runtime, days[3]) and not second_taken.is_set():
            too_early.set()
        return answered(request)

    sitoo.server.script = script
    with Fetcher(sitoo.runtime, raw.ORDERS, days) as fetcher:
        fetcher.take(days[0])
        with sitoo.runtime.warehouse.connect():  # as a load has it open
            assert asked.acquire(timeout=10)
            assert asked.acquire(timeout=10)
        second_taken.set()
        for dates in days[1:]:
            fetcher.take(dates)
    assert not too_early.is_set()


def test_a_piece_is_begun_while_the_last_answer_to_the_one_before_is_awaited(
    sitoo: Sitoo, monkeypatch: pytest.MonkeyPatch
) -> None:
    twenties = {**RESOURCES, "orders": replace(RESOURCES["orders"], page_size=20)}  # of 48 in two days
    monkeypatch.setattr(fetching, "RESOURCES", twenties)
    third_asked, pages, answered = threading.Event(), itertools.count(1), sitoo.server.script
    waited: list[bool] = []

    def script(request: Request) -> Answer:
        if starts_with(request, sitoo.runtime, PIECES[2]):
            third_asked.set()
        if starts_with(request, sitoo.runtime, PIECES[1]) and next(pages) == 3:
            waited.append(third_asked.wait(10))
        return answered(request)

    sitoo.server.script = script
    with Fetcher(sitoo.runtime, raw.ORDERS, PIECES) as fetcher:
        for dates in PIECES:
            assert ids(fetcher.take(dates)) >= needed(sitoo.runtime, dates)
    assert waited == [True]
    assert max(sitoo.server.most_in_flight.values()) == 1


def test_who_takes_a_piece_may_remove_it(sitoo: Sitoo) -> None:
    with Fetcher(sitoo.runtime, raw.ORDERS, PIECES) as fetcher:
        for dates in PIECES:
            fetched = fetcher.take(dates)
            assert ids(fetched) >= needed(sitoo.runtime, dates)
            remove(fetched.landed.folder)
    assert landed_folders(sitoo.runtime) == []


def test_a_piece_that_fails_ahead_fails_when_it_is_taken_and_costs_no_other(sitoo: Sitoo) -> None:
    spoilt, answered = threading.Event(), sitoo.server.script

    def script(request: Request) -> Answer:
        if starts_with(request, sitoo.runtime, PIECES[1]) and not spoilt.is_set():
            return refusal(500)
        return answered(request)

    sitoo.server.script = script
    with Fetcher(sitoo.runtime, raw.ORDERS, PIECES) as fetcher:
        first = fetcher.take(PIECES[0])
        with pytest.raises(TransientSitooError, match="500"):
            fetcher.take(PIECES[1])
        assert len(landed_folders(sitoo.runtime)) == 1
        spoilt.set()
        days = [fetcher.take([day]) for day in PIECES[1]]
        third = fetcher.take(PIECES[2])
    for dates, fetched in zip(
        [PIECES[0], *([day] for day in PIECES[1]), PIECES[2]], [first, *days, third], strict=True
    ):
        assert ids(fetched) >= needed(sitoo.runtime, dates)
        assert fetched.dates == tuple(dates)


@pytest.mark.parametrize("fault", [KeyboardInterrupt, LookupError])
def test_what_was_fetched_ahead_goes_with_the_one_who_asked(sitoo: Sitoo, fault: type[BaseException]) -> None:
    asked, go_on, answered = threading.Event(), threading.Event(), sitoo.server.script

    def script(request: Request) -> Answer:
        if starts_with(request, sitoo.runtime, PIECES[1]):
            asked.set()
            go_on.wait(10)
        return answered(request)

    sitoo.server.script = script
    taken = []

    def load() -> None:
        with Fetcher(sitoo.runtime, raw.ORDERS, PIECES) as fetcher:
            taken.append(fetcher.take(PIECES[0]))
            assert asked.wait(10)
            go_on.set()
            raise fault

    with pytest.raises(fault):
        load()
    [first] = taken
    assert landed_folders(sitoo.runtime) == [first.landed.folder]
    assert not list((sitoo.runtime.account.landing_folder / "orders").glob("*/.*"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("fetch-ahead", "sitoo"))]
    assert sum(sitoo.server.in_flight.values()) == 0


def test_all_pieces_of_a_step_count_as_fetched_when_it_began(sitoo: Sitoo) -> None:
    """What two pieces share was asked for with the first, so the second knows nothing later than that."""
    before = datetime.now(UTC)
    with Fetcher(sitoo.runtime, raw.ORDERS, PIECES) as fetcher:
        first = fetcher.take(PIECES[0])
        after = datetime.now(UTC)
        rest = [fetcher.take(dates) for dates in PIECES[1:]]
        alone = fetcher.take([FIRST])
    assert before <= first.started_at <= after <= alone.started_at
    assert {fetched.started_at for fetched in rest} == {first.started_at}
    assert {fetched.newest for fetched in [first, *rest, alone]} == {ORDERS[-1]["orderid"]}


def test_another_program_can_have_the_warehouse_while_sitoo_is_waited_for(sitoo: Sitoo) -> None:
    answered, opened = sitoo.server.script, list[int]()
    command = [sys.executable, "-c", "import duckdb, sys; duckdb.connect(sys.argv[1]).close()"]

    def script(request: Request) -> Answer:
        if "orderdatefrom" in request.query:
            opened.append(subprocess.run([*command, str(sitoo.runtime.warehouse.path)], check=False).returncode)
        return answered(request)

    sitoo.server.script = script
    with Fetcher(sitoo.runtime, raw.ORDERS, PIECES[:1]) as fetcher:
        fetcher.take(PIECES[0])
    assert opened == [0]
