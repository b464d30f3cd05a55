"""A user's project in a folder: settings, data and Dagster's home, run as in production."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import duckdb
import pytest
from rich.console import Console

from sitoo_pipeline.assets.computations import computations_of
from sitoo_pipeline.assets.computed import compute_dates, compute_whole
from sitoo_pipeline.assets.deliveries import Handover
from sitoo_pipeline.assets.extract import extract_dates
from sitoo_pipeline.assets.extract_reference import extract_reference
from sitoo_pipeline.assets.extract_visitors import extract_visitors
from sitoo_pipeline.assets.polls import polls_of
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.targets import sinks_of
from sitoo_pipeline.operations.execution import Outcome
from sitoo_pipeline.operations.home import home_path, open_instance
from sitoo_pipeline.operations.running import run_dates
from sitoo_pipeline.sandbox import Sandbox
from sitoo_pipeline.settings import Account, Settings, load_settings
from sitoo_pipeline.tables import ALL_TABLES, Table, meta, raw
from sitoo_pipeline.warehouse import Found, record_poll
from sitoo_pipeline_tests.sitoo.server import Server

AUDIT = ("_loaded_at", "_run_id")
TELLS_OF_THE_RUN = {"_loaded_at", "_run_id", "_landing_file", "first_seen_at", "first_run_id", "applied_at"}
"""Columns that say when and how a row came, and not what it is."""

Row = dict[str, Any]


def days(first: str, last: str) -> list[date]:
    """Business dates, both ends included."""
    begin, end = date.fromisoformat(first), date.fromisoformat(last)
    return [begin + timedelta(days=number) for number in range((end - begin).days + 1)]


@dataclass(frozen=True)
class Project:
    """A folder with ``sitoo_pipeline.toml``, the environment that goes with it, and the settings read from both."""

    folder: Path
    environ: Mapping[str, str]
    settings: Settings

    @classmethod
    def make(
        cls,
        folder: Path,
        server: Sandbox | Server | None,
        *,
        start_date: date,
        name: str = "kedjan",
        users: int = 2,
        more: str = "",
        http: str = "attempts = 3, wait_initial = 0.01, wait_max = 0.02",
        environ: Mapping[str, str] | None = None,
    ) -> Project:
        """Write the settings of one account and read them. ``more`` is further TOML, below the account's own keys."""
        if isinstance(server, Sandbox):
            url, pairs = server.sitoo_url, server.api_users[:users]
        else:
            url = server.url if server else "http://127.0.0.1:9/v2/accounts/1500"
            pairs = tuple((f"1500-{number}", "a-password-of-the-tests") for number in range(1, users + 1))
        variables = {
            "KEDJAN_ID": ",".join(user for user, _ in pairs),
            "KEDJAN_PASSWORD": ",".join(password for _, password in pairs),
            **(environ or {}),
        }
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sitoo_pipeline.toml").write_text(
            f"[accounts.{name}]\n"
            f'base_url = "{url}"\napi_id_env = "KEDJAN_ID"\napi_password_env = "KEDJAN_PASSWORD"\n'
            f"start_date = {start_date}\nhttp = {{ {http} }}\n{more}",
            encoding="utf-8",
        )
        return cls.read(folder, variables)

    @classmethod
    def read(cls, folder: Path, environ: Mapping[str, str]) -> Project:
        """The project in a folder, by its settings as they are now."""
        return cls(folder, environ, load_settings(cwd=folder, environ=environ))

    def copy(self, folder: Path, server: Server) -> Project:
        """The same with all its data in another folder, asking a server of its own: so that one load serves many."""
        shutil.copytree(self.folder, folder, dirs_exist_ok=True)
        written = folder / "sitoo_pipeline.toml"
        text = written.read_text(encoding="utf-8").replace(str(self.account.base_url), server.url)
        written.write_text(text, encoding="utf-8")
        return self.read(folder, self.environ)

    @property
    def account(self) -> Account:
        """The first account."""
        return self.settings.accounts[0]

    @property
    def runtime(self) -> Runtime:
        """What the first account's assets work with."""
        return Runtime.of(self.account)

    @contextmanager
    def home(self) -> Iterator[None]:
        """Dagster's home is this project's, within the block."""
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DAGSTER_HOME", str(self.settings.data_dir / "dagster_home"))
            yield

    def run(self, dates: Iterable[date], *, sinks: bool = True) -> Outcome:
        """Take dates of the first account from Sitoo to the targets, as ``sitoo-pipeline backfill`` does."""
        [outcome] = self.run_accounts({self.account.name: list(dates)}, sinks=sinks)
        return outcome

    def run_accounts(self, dates: dict[str, list[date]], *, sinks: bool = True) -> list[Outcome]:
        """The same for several accounts."""
        with self.home():
            return run_dates(self.settings, dates, console=Console(quiet=True), sinks=sinks, trigger="test")

    def load(self, dates: Iterable[date], *, sinks: bool = True) -> None:
        """Run dates of which none may fail."""
        wanted = list(dates)
        outcome = self.run(wanted, sinks=sinks)
        assert outcome.failed == {}
        assert (outcome.done, outcome.warnings) == (wanted, [])

    def load_plainly(self, runs: Iterable[Sequence[date]], *, as_far_as: str = "marts") -> None:
        """Take the dates of each run to the marts, or ``as_far_as`` core, without Dagster: step by step.

        Where dates are tied together they are computed in two pieces, as many orders are.
        """
        layers = {"marts": ("core", "marts"), "core": ("core",)}[as_far_as]
        computations = [one for one in computations_of(self.account) if one.tables[0].layer in layers]
        runtime = self.runtime
        with runtime.warehouse.connect():  # every step opens the file; it stays open between them, which is faster
            for table in raw.REFERENCE:
                extract_reference(runtime, table, run_id="plain")
            for computation in computations:
                if not computation.tables[0].partition:
                    compute_whole(runtime, computation, "plain")
            for dates in runs:
                for table in raw.DATED:
                    extract_dates(runtime, table, dates, run_id="plain")
                if self.account.visitors:
                    extract_visitors(runtime, dates, run_id="plain")
                for computation in computations:
                    if computation.tables[0].partition:
                        pieces = (dates[::2], dates[1::2]) if computation.also else (dates,)
                        for piece in filter(None, pieces):
                            compute_dates(runtime, computation, piece, "plain", all_dates=dates)
            runtime.warehouse.publish()

    def hand_over(self, dates: Sequence[date]) -> None:
        """Take loaded dates to every target without Dagster."""
        runtime = self.runtime
        with runtime.warehouse.lingering():
            for sink in sinks_of(runtime):
                with Handover(runtime, sink) as handover:
                    handover.hand_over(dates, run_id="plain")

    def poll(self, name: str) -> Found:
        """Make one poll without Dagster."""
        [poll] = [poll for poll in polls_of(self.account) if poll.name == name]
        runtime, started_at = self.runtime, datetime.now(UTC)
        with runtime.warehouse.lingering():
            found = poll.find(runtime, started_at)
            with runtime.warehouse.connect() as con:
                record_poll(con, name, found, started_at=started_at, run_id="plain")
        return found

    @contextmanager
    def instance(self) -> Iterator[dg.DagsterInstance]:
        """What Dagster remembers."""
        with self.home(), open_instance(home_path(self.settings.data_dir)) as instance:
            yield instance

    def environment(self) -> dict[str, str]:
        """For a process of its own."""
        home = {"DAGSTER_HOME": str(self.settings.data_dir / "dagster_home")}
        return {**os.environ, **self.environ, **home, "PYTHONUNBUFFERED": "1"}

    def query(self, sql: str, params: Sequence[object] = ()) -> list[Row]:
        """Rows of the published read copy, as an analyst reads it."""
        with self._reading() as con:
            return con.sql(sql, params=list(params)).pl().to_dicts()

    @contextmanager
    def _reading(self) -> Iterator[duckdb.DuckDBPyConnection]:
        with duckdb.connect(str(self.account.read_copy_path), read_only=True) as con:
            con.execute("SET TimeZone = 'UTC'")
            yield con

    def rows(self, table: Table) -> list[Row]:
        """All rows of a table with the columns that its rules are about, by its key."""
        names = ", ".join(f'"{name}"' for name in table.names)
        order = ", ".join(f'"{name}" NULLS LAST' for name in table.key)
        return self.query(f"SELECT {names} FROM {table.qualified} ORDER BY {order or 'ALL'}")

    def everything(self, *, without: Iterable[str] = ()) -> dict[str, list[tuple[Any, ...]]]:
        """Every row of every table but the logs of loads and polls, whatever columns, ``without`` left out."""
        left_out = set(without)
        found = {}
        with self._reading() as con:
            for table in ALL_TABLES:
                if table not in (meta.LOADS, meta.POLLS):
                    rows = con.sql(f"FROM {table.qualified} ORDER BY ALL").pl().to_dicts()
                    found[table.qualified] = sorted(
                        tuple(repr(value) for name, value in row.items() if name not in left_out) for row in rows
                    )
        return found

    def content(self) -> dict[str, list[tuple[Any, ...]]]:
        """What everything holds, without when and how it came."""
        return self.everything(without=TELLS_OF_THE_RUN)
