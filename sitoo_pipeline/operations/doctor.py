"""``doctor``: what could stop the next run, one finding per line, each with what to do. It changes nothing."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import httpx
import polars as pl
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.assets.visitor_sources import UnreadableError, look_at_source
from sitoo_pipeline.operations.doctor_samesystem import samesystem_findings
from sitoo_pipeline.operations.doctor_transports import transports
from sitoo_pipeline.operations.finding import Finding
from sitoo_pipeline.operations.home import home_path
from sitoo_pipeline.operations.preflight import PATIENCE, refusal
from sitoo_pipeline.settings import Account, Settings
from sitoo_pipeline.sinks.database import TRIED, DatabaseUrlError, open_engine
from sitoo_pipeline.sitoo.errors import SitooError
from sitoo_pipeline.warehouse import Warehouse, WarehouseLockedError, WarehouseVersionError

FREE_SPACE = 2 * 2**30
"""Less free space than this, in bytes, is a finding."""

UNTRIED = "warning: this kind of database was never tried with a real server; compare the first dates by hand"

_DAEMON_SILENCE = timedelta(minutes=5)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that a run needs. The settings have been read, so they are right."""
    yield Finding("settings", f"accounts: {', '.join(account.name for account in settings.accounts)}")
    yield _disk(settings.data_dir)
    for account in settings.accounts:
        yield _timezones(account)
        yield from _users(account)
        yield _warehouse(account)
        yield from _visitors(account)
        yield from _databases(account)
        yield from transports(account)
        yield from _ometria(account)
        yield from (Finding(*found) for found in samesystem_findings(account))
    yield from _schedules(settings)


def _disk(folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 2**30:.1f} GiB free for {folder}"
    return Finding("disk", said, None if free > FREE_SPACE else f"{said}; make room, a load needs some")


def _timezones(account: Account) -> Finding:
    """The dates of sales are computed by Polars, whose time zone data are its own; Python's serve the partitions."""
    what = f"{account.name}: time zones"
    names = dict.fromkeys([account.timezone, *(s.timezone for s in account.stores.values() if s.timezone)])
    for name in names:
        if not _agrees(name):
            remedy = "update the packages tzdata and polars, and the system's time zone data"
            return Finding(what, problem=f"Python and Polars disagree about {name}; {remedy}")
    try:
        data = f"tzdata {version('tzdata')}"
    except PackageNotFoundError:
        data = "the system's data"
    return Finding(what, f"{', '.join(names)} ({data})")


def _agrees(zone: str) -> bool:
    """Whether Python and Polars see the same clock during the next year."""
    now = datetime.now(UTC)
    instants = [now + timedelta(days=30 * number) for number in range(13)]
    try:
        seen = pl.Series(instants, dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(zone).dt.replace_time_zone(None)
    except pl.exceptions.ComputeError:
        return False
    return seen.to_list() == [instant.astimezone(ZoneInfo(zone)).replace(tzinfo=None) for instant in instants]


def _users(account: Account) -> Iterator[Finding]:
    for user in account.users:
        one = account.model_copy(update={"api_id": user.api_id, "api_password": user.password})
        error = refusal(one)
        said = f"{account.base_url} answers"
        yield Finding(f"{account.name}: API user {user.api_id}", said, str(error) if error else None)


def _warehouse(account: Account) -> Finding:
    what = f"{account.name}: warehouse"
    if not account.warehouse_path.exists():
        return Finding(what, "nothing loaded yet")
    warehouse = Warehouse(account.warehouse_path, lock_timeout=0.5)
    try:
        with warehouse.look():
            pass  # an older file is told of, and not migrated by looking at it
        with warehouse.connect() as con:
            [(dates, last)] = con.execute(
                "SELECT count(DISTINCT business_date), max(business_date) FROM core.orders"
            ).fetchall()
    except (WarehouseLockedError, WarehouseVersionError) as error:
        return Finding(what, problem=str(error))
    except duckdb.Error as error:
        return Finding(what, problem=f"{account.warehouse_path}: {' '.join(str(error).split())}")
    return Finding(what, f"not open elsewhere; {dates} dates with orders" + (f", the last {last}" if last else ""))


def _visitors(account: Account) -> Iterator[Finding]:
    if account.visitors is None:
        return
    what = f"{account.name}: visitors"
    try:
        yield Finding(what, look_at_source(Runtime.of(account), PATIENCE))
    except (UnreadableError, SitooError) as error:
        yield Finding(what, problem=str(error))


def _databases(account: Account) -> Iterator[Finding]:
    urls = {"ledger of deliveries": ("DELIVERIES_URL", account.deliveries_url)}
    if account.targets.weekly_balance_sql.enabled:
        urls["weekly balance"] = ("WEEKLY_BALANCE_URL", account.targets.weekly_balance_sql.url)
    for name, (variable, secret) in urls.items():
        what = f"{account.name}: {name}"
        try:
            url = sa.make_url(secret.get_secret_value())
            shown = url.render_as_string(hide_password=True)
            if url.get_backend_name() == "sqlite" and not Path(url.database or "").exists():
                yield Finding(what, f"{shown} will be made")
                continue
            engine = open_engine(secret.get_secret_value())
            with engine.connect():
                untried = "" if url.get_backend_name() in TRIED else "; " + UNTRIED
                yield Finding(what, f"{shown} answers{untried}")
            engine.dispose()
        except DatabaseUrlError as error:
            yield Finding(what, problem=f"{error}; it is set by {variable}")
        except SQLAlchemyError as error:
            remedy = f"look at {variable}, and whether it runs"
            yield Finding(what, problem=f"{shown} does not answer ({type(error).__name__}); {remedy}")


def _ometria(account: Account) -> Iterator[Finding]:
    said = account.targets.ometria
    if said is None:
        return
    what = f"{account.name}: Ometria"
    try:
        # Reading the list of errors changes nothing and needs the same key as a push.
        answer = httpx.get(
            f"{said.base_url}/push/_errors",
            headers={"X-Ometria-Auth": said.api_key.get_secret_value()},
            timeout=account.http.connect_timeout,
        )
    except httpx.HTTPError as error:
        remedy = "look at OMETRIA_BASE_URL, network and proxy"
        yield Finding(what, problem=f"{said.base_url} does not answer ({type(error).__name__}); {remedy}")
        return
    if answer.status_code in (401, 403):
        yield Finding(what, problem=f"{said.base_url} refuses the key; look at OMETRIA_API_KEY")
    else:
        text = f"{said.base_url} answers {answer.status_code}"
        yield Finding(what, text, None if answer.is_success else f"{text}; look at OMETRIA_BASE_URL")


def _schedules(settings: Settings) -> Iterator[Finding]:
    """Which schedules are on, and whether the daemon that they need is at work."""
    none = "none is on; switch them on in the UI (Automation). They run while 'sitoo-pipeline ui' does"
    home = home_path(settings.data_dir)
    if not (home / "dagster.yaml").exists():
        yield Finding("schedules", none)
        return
    import dagster as dg  # late: it takes longer than all other findings

    with dg.DagsterInstance.from_config(str(home)) as instance:
        running = sorted(state.name for state in instance.all_instigator_state() if state.is_running)
        beat = instance.get_daemon_heartbeats().get("SCHEDULER")
    ours = [name for name in running if name.startswith(tuple(f"{account.name}_" for account in settings.accounts))]
    if not ours:
        yield Finding("schedules", none)
        return
    seen = datetime.fromtimestamp(beat.timestamp, UTC) if beat else None
    is_at_work = seen is not None and datetime.now(UTC) - seen < _DAEMON_SILENCE
    text = f"on: {', '.join(ours)}"
    since = f"since {seen:%Y-%m-%d %H:%M} UTC" if seen else "yet"
    remedy = f"{text}, but no daemon has been at work {since}; keep 'sitoo-pipeline ui' running"
    yield Finding("schedules", text, None if is_at_work else remedy)
