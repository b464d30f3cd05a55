"""The demo: the embedded sandbox, the whole pipeline over the last days, and what came out of it."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from rich.console import Console

from sitoo_pipeline.assets.day_status import DayStatus
from sitoo_pipeline.operations.running import run_dates
from sitoo_pipeline.operations.status import statuses
from sitoo_pipeline.sandbox import VISITORS_METRIC, Chain, Sandbox
from sitoo_pipeline.settings import Settings, load_settings
from sitoo_pipeline.settings.demo import DEMO_ACCOUNT, SANDBOX_PORT, demo_data_dir
from sitoo_pipeline.settings.load import LOG_FORMAT_VARIABLE
from sitoo_pipeline.sinks import State

TIMEZONE = "Europe/Stockholm"
HISTORY = timedelta(days=7)
"""The chain opened a while before the first day of the demo, so that its tills and stock have a past."""


@dataclass(frozen=True)
class DemoChain:
    """The demo's chain and the days that the pipeline loads of it."""

    stores: int
    seed: int
    dates: tuple[date, ...]

    @classmethod
    def until_yesterday(cls, *, days: int, stores: int, seed: int) -> DemoChain:
        """The last ``days`` whole days."""
        today = datetime.now(ZoneInfo(TIMEZONE)).date()
        return cls(stores, seed, tuple(today - timedelta(days=days - number) for number in range(days)))

    def chain(self) -> Chain:
        """The stores behind the sandbox."""
        return Chain(stores=self.stores, seed=self.seed, opened=self.dates[0] - HISTORY, timezone=TIMEZONE)


def environment(sandbox: Sandbox, start_date: date, *, account: str = DEMO_ACCOUNT) -> dict[str, str]:
    """The settings that reach a sandbox as they would reach the real systems: by URL."""
    return {
        "SITOO_ACCOUNT": account,
        "SITOO_BASE_URL": sandbox.sitoo_url,
        "SITOO_API_ID": ",".join(api_id for api_id, _ in sandbox.api_users),
        "SITOO_API_PASSWORD": ",".join(password for _, password in sandbox.api_users),
        "SITOO_TIMEZONE": TIMEZONE,
        "SITOO_START_DATE": start_date.isoformat(),
        "SITOO_VISITORS_METRIC": VISITORS_METRIC,
        "OMETRIA_BASE_URL": sandbox.ometria_url,
        "OMETRIA_API_KEY": sandbox.ometria_key,
        "SAMESYSTEM_BASE_URL": sandbox.samesystem_url,
        "SAMESYSTEM_EMAIL": sandbox.samesystem_user[0],
        "SAMESYSTEM_PASSWORD": sandbox.samesystem_user[1],
    }


@contextmanager
def fresh_demo(demo: DemoChain) -> Iterator[tuple[Settings, Sandbox]]:
    """A sandbox at work and an account that has not loaded anything yet.

    What an earlier demo left in the demo account's folder is removed: its orders were another chain's. The settings
    stay behind for the UI, with the port on which ``sitoo-pipeline sandbox`` listens.
    """
    folder = demo_data_dir() / DEMO_ACCOUNT
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    with Sandbox(chain=demo.chain()) as sandbox:
        variables = environment(sandbox, demo.dates[0]) | {"SITOO_PIPELINE_DATA_DIR": str(folder.parent)}
        log = {LOG_FORMAT_VARIABLE: os.environ.get(LOG_FORMAT_VARIABLE, "")}
        settings = load_settings(cwd=folder, environ=variables | log)
        port = f":{urlsplit(sandbox.sitoo_url).port}/"
        lines = [f"{name}={value.replace(port, f':{SANDBOX_PORT}/')}" for name, value in variables.items()]
        lines += [f"SANDBOX_STORES={demo.stores}", f"SANDBOX_SEED={demo.seed}"]
        _write_private(folder / ".env", "\n".join(lines) + "\n")
        yield settings, sandbox


def _write_private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")


def run_demo(demo: DemoChain, console: Console, *, verbose: bool = False) -> tuple[list[DayStatus], bool, list[str]]:
    """Run the whole pipeline over the demo's days.

    Returns:
        The state of each day, whether everything succeeded and was delivered, and what went wrong.
    """
    with fresh_demo(demo) as (settings, _):
        [account] = settings.accounts
        wanted = {account.name: demo.dates}
        [outcome] = run_dates(settings, wanted, console=console, trigger="demo", verbose=verbose)
        days = statuses(account, list(demo.dates))
    troubles = [f"{day}: {why}" for day, why in sorted(outcome.failed.items())] + outcome.warnings
    delivered = all(set(counts) <= {State.DELIVERED} for day in days for counts in day.deliveries.values())
    return days, outcome.success and delivered and all(day.is_delivered for day in days), troubles


def remembered_chain(cwd: Path) -> Chain | None:
    """The chain of the last demo, so that the sandbox goes on serving it; None where there was no demo."""
    file = demo_data_dir(cwd) / DEMO_ACCOUNT / ".env"
    if not file.exists():
        return None
    found = dict(line.split("=", 1) for line in file.read_text(encoding="utf-8").splitlines() if "=" in line)
    try:
        start = date.fromisoformat(found["SITOO_START_DATE"])
        return DemoChain(int(found["SANDBOX_STORES"]), int(found["SANDBOX_SEED"]), (start,)).chain()
    except (KeyError, ValueError):
        return None


def serve_sandbox(*, port: int, stores: int | None, seed: int | None, console: Console) -> None:
    """Serve until interrupted: the last demo's chain, or the one that is asked for.

    Raises:
        OSError: the port is taken.
    """
    chain, account = remembered_chain(Path.cwd()), DEMO_ACCOUNT
    if chain is None or stores is not None or seed is not None:
        account = "sandbox"  # another chain's orders would mingle with those of the demo
        chain = DemoChain.until_yesterday(days=60, stores=stores or 6, seed=1 if seed is None else seed).chain()
    with Sandbox(chain=chain, port=port) as sandbox:
        console.print(f"The sandbox is at {sandbox.sitoo_url}. Settings that reach it:\n")
        for name, value in environment(sandbox, chain.opened + HISTORY, account=account).items():
            console.print(f"{name}={value}")
        console.print("\nCtrl-C stops it.")
        try:
            while True:
                time.sleep(3600)  # a signal ends it on every system, which is not so of an untimed wait for a lock
        except KeyboardInterrupt:
            console.print("Stopped.")
