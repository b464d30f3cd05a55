"""What is shown of long work: on a terminal and elsewhere, how far it is, and what it waits for."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from threading import Event, Thread

import pytest
from rich.console import Console

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.progress import progress
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.sitoo.server import Request, Server, answer, refusal

STEPS = ["raw.orders", "raw.z_reports", "core.orders"]
MONTH = [date(2026, 3, 1) + timedelta(days=number) for number in range(30)]


class Watched(io.StringIO):
    """Output that says when something has been written."""

    def __init__(self, pattern: str) -> None:
        super().__init__()
        self.seen = Event()
        self._pattern = re.compile(pattern)

    def write(self, text: str) -> int:
        written = super().write(text)
        if self._pattern.search(self.getvalue()):
            self.seen.set()
        return written


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Project.make(tmp_path, None, start_date=MONTH[0]).runtime


@contextmanager
def shown(runtime: Runtime, pattern: str, **more: object) -> Iterator[tuple[Watched, Callable[..., None]]]:
    """Plain output that says again and again how far it is."""
    out = Watched(pattern)
    console = Console(file=out, soft_wrap=True, highlight=False, markup=False)
    with progress(console, runtime, STEPS, len(MONTH), line_seconds=0.01, **more) as report:  # type: ignore[arg-type]
        yield out, report


def a_week(runtime: Runtime, *tables: str) -> None:
    runtime.activity.counting(tables, lambda dates: None)(MONTH[:7])


def test_plain_output_says_now_and_then_how_far_it_is(runtime: Runtime) -> None:
    with shown(runtime, r"raw\.orders.*7 of 30 days") as (out, report):
        report("extract", MONTH)
        runtime.activity.arrived(1234)
        a_week(runtime, "raw.orders")
        assert out.seen.wait(10)
    first, second, *_, last = out.getvalue().splitlines()
    assert first == "kedjan: fetching from Sitoo, 2026-03-01 to 2026-03-30"
    assert second.startswith("kedjan: fetching from Sitoo")
    said = next(line for line in out.getvalue().splitlines() if "7 of 30" in line)
    assert said == "kedjan: fetching from Sitoo (raw.orders): 7 of 30 days; 1,234 orders, 0 requests; 0:00"
    assert last == "kedjan: 0.0 s: extract 0.0" or re.fullmatch(r"kedjan: [\d.]+ s: extract [\d.]+", last)


def test_a_terminal_shows_the_same_on_one_line(runtime: Runtime) -> None:
    out = Watched(r"\(raw\.orders\).*7 of 30 days; 1,234 orders")
    console = Console(file=out, force_terminal=True, width=150)
    with progress(console, runtime, STEPS, len(MONTH)) as report:
        report("extract", MONTH)
        runtime.activity.arrived(1234)
        a_week(runtime, "raw.orders")
        report("extract", MONTH)
        assert out.seen.wait(10)


def test_the_time_left_follows_from_what_is_done(runtime: Runtime) -> None:
    """Orders count ten times as much as any other table: here 7 of 30 dates of 10 of 12 parts."""
    now = [0.0]
    with shown(runtime, "left", clock=lambda: now[0]) as (out, report):
        report("extract", MONTH)
        a_week(runtime, "raw.orders")
        now[0] = 70.0
        assert out.seen.wait(10)
    assert "; 1:10; about 4:50 left" in out.getvalue()


def test_a_date_that_is_tried_again_is_no_further_work(runtime: Runtime) -> None:
    def fails(dates: object) -> None:
        raise LookupError

    with pytest.raises(LookupError):
        runtime.activity.counting(["raw.orders"], fails)(MONTH[:7])
    assert runtime.activity.done["raw.orders"] == 0
    for day in MONTH[:7]:
        with pytest.raises(LookupError):
            runtime.activity.counting(["raw.orders"], fails)([day])
    assert runtime.activity.done["raw.orders"] == 7


def test_it_says_why_sitoo_is_asked_again(tmp_path: Path) -> None:
    noticed = Event()

    def script(_: Request) -> object:
        return answer({"totalcount": 0, "items": []}) if noticed.is_set() else refusal(429, "Too many connections")

    with Server(script) as server:  # type: ignore[arg-type]
        patience = "attempts = 50, wait_initial = 0.05, wait_max = 0.2"
        runtime = Project.make(tmp_path, server, start_date=MONTH[0], users=1, http=patience).runtime
        pattern = "waiting for Sitoo, to ask again after: 429 Too Many Requests, 'Too many connections'"
        with shown(runtime, pattern) as (out, report):
            report("reference", [])

            def ask() -> None:
                with runtime.sitoo() as client:
                    client.get("/orders.json")

            asking = Thread(target=ask)
            asking.start()
            assert out.seen.wait(10)
            noticed.set()
            asking.join(10)
        assert not runtime.activity.waiting_for
        assert runtime.activity.requests == len(server.seen) > 1


def test_it_says_that_sitoo_has_not_answered_yet(tmp_path: Path) -> None:
    noticed = Event()

    def script(_: Request) -> object:
        noticed.wait(10)
        return answer({"totalcount": 0, "items": []})

    with Server(script) as server:  # type: ignore[arg-type]
        runtime = Project.make(tmp_path, server, start_date=MONTH[0], users=1).runtime
        with shown(runtime, "1 requests; waiting for Sitoo; ") as (out, report), runtime.sitoo() as client:
            report("reference", [])
            asking = Thread(target=client.get, args=("/orders.json",))
            asking.start()
            assert out.seen.wait(10)
            noticed.set()
            asking.join(10)


def test_it_says_that_the_warehouse_is_open_elsewhere(runtime: Runtime) -> None:
    with runtime.warehouse.connect():
        pass
    path = str(runtime.warehouse.path)
    held = "import duckdb, sys; con = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", held, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout
        assert holder.stdin
        assert holder.stdout.readline() == "open\n"
        with shown(runtime, re.escape(f"waiting for {path}, which is open in another program")) as (out, report):
            report("transform", MONTH)

            def read() -> None:
                with runtime.warehouse.connect():
                    pass

            reading = Thread(target=read)
            reading.start()
            assert out.seen.wait(20)
            holder.stdin.close()
            reading.join(20)
    assert runtime.warehouse.waiting_for == ""
