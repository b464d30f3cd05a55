"""Two pieces ahead of the caller: no API user is idle, failures stay where they belong, and nothing is left behind."""

from __future__ import annotations

import itertools
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from sitoo_pipeline.assets import fetching
from sitoo_pipeline.assets.fetching import Fetcher
from sitoo_pipeline.assets.landing import remove
from sitoo_pipeline.sitoo import RESOURCES
from sitoo_pipeline.sitoo.errors import BadRequest, TransientSitooError
from sitoo_pipeline.tables import raw
from sitoo_pipeline_tests.assets.fetches import FIRST, PIECES, Sitoo, ids, landed_folders, needed, starts_with
from sitoo_pipeline_tests.sitoo.server import Answer, Request, refusal


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


@pytest.mark.parametrize("bad", [1, 2])
def test_what_waits_for_a_piece_that_failed_is_not_fetched_in_vain(sitoo: Sitoo, bad: int) -> None:
    """Neither what had been begun while it was under way, nor what is begun when it has failed already."""
    days = [[FIRST + timedelta(days=number)] for number in range(4)]
    failed, go_on, answered = threading.Event(), threading.Event(), sitoo.server.script

    def script(request: Request) -> Answer:
        if starts_with(request, sitoo.runtime, days[bad]) and not go_on.is_set():
            failed.set()
            return refusal(400)
        return answered(request)

    sitoo.server.script = script
    with Fetcher(sitoo.runtime, raw.ORDERS, days) as fetcher:
        taken = [fetcher.take(days[0])]
        assert failed.wait(10)
        time.sleep(0.1)  # until the answer has come
        taken += [fetcher.take(dates) for dates in days[1:bad]]
        time.sleep(0.1)  # in which the next piece could be asked for
        with pytest.raises(BadRequest):
            fetcher.take(days[bad])
        go_on.set()
        taken += [fetcher.take(dates) for dates in days[bad:]]
    for dates, fetched in zip(days, taken, strict=True):
        assert ids(fetched) >= needed(sitoo.runtime, dates)
    for dates in days[bad + 1 :]:
        assert sum(starts_with(request, sitoo.runtime, dates) for request in sitoo.server.seen) == 1


def test_pieces_apart_do_not_fail_together(sitoo: Sitoo) -> None:
    apart = [[FIRST], [FIRST + timedelta(days=3)], [FIRST + timedelta(days=6)]]
    third_asked, answered = threading.Event(), sitoo.server.script

    def script(request: Request) -> Answer:
        if starts_with(request, sitoo.runtime, apart[2]):
            third_asked.set()
        return refusal(400) if starts_with(request, sitoo.runtime, apart[1]) else answered(request)

    sitoo.server.script = script
    with Fetcher(sitoo.runtime, raw.ORDERS, apart) as fetcher:
        fetcher.take(apart[0])
        assert third_asked.wait(10)
        with pytest.raises(BadRequest):
            fetcher.take(apart[1])
        assert ids(fetcher.take(apart[2])) >= needed(sitoo.runtime, apart[2])
    assert sum(starts_with(request, sitoo.runtime, apart[2]) for request in sitoo.server.seen) == 1


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
    assert not list((sitoo.runtime.account.landing_folder / "orders").glob(f"{PIECES[2][0]}--*"))
    assert not list((sitoo.runtime.account.landing_folder / "orders").glob("*/.*"))
    assert not [thread for thread in threading.enumerate() if thread.name.startswith(("fetch-ahead", "sitoo"))]
    assert sum(sitoo.server.in_flight.values()) == 0
