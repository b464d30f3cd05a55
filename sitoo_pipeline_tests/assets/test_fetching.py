"""Fetching piece by piece: every piece has what it needs, and what two share is asked for once."""

from __future__ import annotations

import itertools
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta

import pytest

from sitoo_pipeline.assets import pieces
from sitoo_pipeline.assets.fetching import Fetcher
from sitoo_pipeline.assets.windows import window
from sitoo_pipeline.tables import raw
from sitoo_pipeline_tests.assets.fetches import FIRST, ORDERS, PIECES, Sitoo, ids, needed
from sitoo_pipeline_tests.sitoo.server import Answer, Request


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
