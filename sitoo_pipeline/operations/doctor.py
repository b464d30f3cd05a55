"""``doctor``: what could stop the next run, one finding per line, each with what to do."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from sitoo_pipeline.operations.running import unreachable
from sitoo_pipeline.settings import Account, Settings
from sitoo_pipeline.warehouse import Warehouse, WarehouseLockedError

FREE_SPACE = 2 * 2**30
"""Less free space than this, in bytes, is a finding."""


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at: ``problem`` is what is wrong and what to do, None where all is well."""

    what: str
    said: str = ""
    problem: str | None = None

    @property
    def is_well(self) -> bool:
        """Whether it stops nothing."""
        return self.problem is None

    @property
    def line(self) -> str:
        """As it is shown."""
        return f"{'ok   ' if self.is_well else 'wrong'} {self.what}: {self.problem or self.said}"


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything that a run needs. The settings have been read, so they are right."""
    yield Finding("settings", f"{len(settings.accounts)} accounts: {', '.join(a.name for a in settings.accounts)}")
    yield _disk(settings.data_dir)
    for account in settings.accounts:
        yield from _users(account)
        yield _lock(account)
        yield from _databases(account)
        yield from _ometria(account)


def _disk(folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free
    said = f"{free / 2**30:.1f} GB free in {folder}"
    return Finding("disk", said, None if free > FREE_SPACE else f"{said}; make room, a load needs some")


def _users(account: Account) -> Iterator[Finding]:
    for user in account.users:
        one = account.model_copy(update={"api_id": user.api_id, "api_password": user.password})
        yield Finding(f"{account.name}: API user {user.api_id}", f"{account.base_url} answers", unreachable(one))


def _lock(account: Account) -> Finding:
    what = f"{account.name}: warehouse"
    if not account.warehouse_path.exists():
        return Finding(what, "nothing loaded yet")
    try:
        with Warehouse(account.warehouse_path, lock_timeout=0.5).connect() as con:
            [(dates, last)] = con.execute(
                "SELECT count(DISTINCT business_date), max(business_date) FROM core.orders"
            ).fetchall()
    except WarehouseLockedError as error:
        return Finding(what, problem=str(error))
    return Finding(what, f"{dates} dates with orders, the last {last}")


def _databases(account: Account) -> Iterator[Finding]:
    urls = {"ledger of deliveries": account.deliveries_url.get_secret_value()}
    if account.targets.weekly_balance_sql.enabled:
        urls["weekly balance"] = account.targets.weekly_balance_sql.url.get_secret_value()
    for name, url in urls.items():
        shown = sa.make_url(url).render_as_string(hide_password=True)
        what = f"{account.name}: {name}"
        if url.startswith("sqlite") and not Path(sa.make_url(url).database or "").exists():
            yield Finding(what, f"{shown} will be made")
            continue
        try:
            engine = sa.create_engine(url)
            with engine.connect():
                yield Finding(what, f"{shown} answers")
            engine.dispose()
        except SQLAlchemyError as error:
            yield Finding(what, problem=f"{shown}: {type(error).__name__}; look at its URL and whether it runs")


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
        yield Finding(what, problem=f"{said.base_url}: {type(error).__name__}; look at base_url, network and proxy")
        return
    if answer.status_code in (401, 403):
        yield Finding(
            what, problem=f"{said.base_url} refuses the key; look at the setting api_key_env (OMETRIA_API_KEY)"
        )
    else:
        text = f"{said.base_url} answers {answer.status_code}"
        yield Finding(what, text, None if answer.is_success else f"{text}; look at base_url")
