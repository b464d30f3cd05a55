"""A chain's days in Dagster's UI, and a Chromium to look at them with.

``make pictures`` runs the same tests over more days and stores and keeps what they saw in ``docs/pictures``.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from rich.console import Console

from sitoo_pipeline.operations.demo import TIMEZONE, DemoChain, environment
from sitoo_pipeline.operations.home import home_path
from sitoo_pipeline.operations.running import run_dates
from sitoo_pipeline.sandbox import Sandbox
from sitoo_pipeline.settings import load_settings
from sitoo_pipeline_tests.cli.project import a_free_port, answers, clean_environment, patiently, stop
from sitoo_pipeline_tests.pipeline.expected import fetch
from sitoo_pipeline_tests.pipeline.scripted import Script
from sitoo_pipeline_tests.sitoo.server import Server

PICTURES = os.environ.get("SITOO_PIPELINE_PICTURES")
"""A folder to keep pictures in."""

_DEMO = DemoChain.until_yesterday(days=15, stores=6, seed=1) if PICTURES else None
_SMALL = DemoChain.until_yesterday(days=10, stores=2, seed=1)

Keep = Callable[[Page, str], None]

expect.set_options(timeout=30_000)
"""A machine at work on other tests is slow; nothing is taken for missing before that."""


@dataclass(frozen=True)
class Desk:
    """The UI at work, the project's folder, and what is loaded: on ``wrong`` one till does not balance."""

    port: int
    folder: Path
    dates: tuple[date, ...]
    wrong: date

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[Desk]:
    """The demo's settings, and the command that the README names; only the port and Sitoo's answers are the tests' own.

    Asks for ``browser`` first: without one nothing is loaded.
    """
    demo = _DEMO or _SMALL
    folder = tmp_path_factory.mktemp("desk")
    with Sandbox(chain=demo.chain()) as sandbox:
        objects = fetch(sandbox.sitoo_url, sandbox.api_users[0])
        wrong = demo.dates[-3]
        _till_sale(objects["orders"], wrong)["orderitems"][0]["moneyitemtotal_net"] = "2400.00"
        with Server(Script(objects)) as sitoo:
            variables = environment(sandbox, demo.dates[0]) | {
                "SITOO_BASE_URL": sitoo.url,
                "SITOO_PIPELINE_DATA_DIR": str(folder / "data"),
            }
            (folder / ".env").write_text("\n".join(f"{name}={value}" for name, value in variables.items()))
            settings = load_settings(cwd=folder, environ={})
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("DAGSTER_HOME", str(home_path(settings.data_dir)))
                [outcome] = run_dates(settings, {"demo": demo.dates[:-1]}, console=Console(quiet=True), trigger="demo")
            assert outcome.success, outcome.failed
            with _ui(folder) as port:
                yield Desk(port, folder, demo.dates[:-1], wrong)


def _till_sale(orders: list[dict[str, Any]], day: date) -> dict[str, Any]:
    """A plain sale of one line at a till, on a date."""
    zone = ZoneInfo(TIMEZONE)
    return next(
        order
        for order in orders
        if (order["ordertypeid"], order["orderstateid"], order["paymentstateid"]) == (10, 10, 20)
        and order.get("registerid")
        and [item["quantity"] > 0 for item in order["orderitems"]] == [True]
        and datetime.fromtimestamp(order["orderdate"], tz=zone).date() == day
    )


@contextmanager
def _ui(folder: Path) -> Iterator[int]:
    port = a_free_port()
    command = [sys.executable, "-m", "sitoo_pipeline", "ui", "--port", str(port)]
    with (
        (folder / "ui.log").open("w") as log,
        subprocess.Popen(command, cwd=folder, env=clean_environment(), stdout=log, stderr=log, text=True) as process,
        httpx.Client(trust_env=False, timeout=10) as client,
    ):
        try:
            patiently(lambda: answers(client, f"http://127.0.0.1:{port}/server_info"), seconds=120)
            yield port
        finally:
            stop(process, signal.SIGTERM, seconds=60)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as it is installed; the tests say so where none is.

    Not for longer than its tests: while it is open, nobody else in this thread can run an event loop.
    """
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        pytest.skip(f"no Chromium is installed: none of {', '.join(names)} can be run")
    quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=found, args=quiet)
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A window of a laptop's size. A page that reaches for another machine, or throws, fails the test."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, timezone_id=TIMEZONE, locale="en-GB")
    found: list[str] = []
    opened = context.new_page()
    opened.on("pageerror", lambda error: found.append(str(error)))
    opened.on("request", lambda request: found.append(request.url) if _is_elsewhere(request.url) else None)
    yield opened
    context.close()
    assert not found


def _is_elsewhere(url: str) -> bool:
    return not url.startswith(("http://127.0.0.1:", "file:", "data:", "blob:", "ws:"))


@pytest.fixture
def keep() -> Keep:
    """Keep what is seen, where pictures are wanted."""

    def kept(page: Page, name: str) -> None:
        if PICTURES:
            page.screenshot(path=Path(PICTURES) / f"{name}.png")

    return kept
