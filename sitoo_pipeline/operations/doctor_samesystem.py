"""What ``doctor`` says of SameSystem: whether it answers, and whether departments and fields fit."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb

from sitoo_pipeline.assets.samesystem import samesystem_of
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sinks.samesystem import FAILURES

Found = tuple[str, str, str | None]
"""What was looked at, what is so, and what is wrong."""

_NAMED = 5


def samesystem_findings(account: Account) -> Iterator[Found]:
    """A line on the login, one on each department whose fields do not fit, and one on stores and departments."""
    said = account.targets.samesystem
    if said is None:
        return
    what = f"{account.name}: SameSystem"
    # A person waits for the answer: no patience.
    hasty = account.model_copy(update={"http": account.http.model_copy(update={"attempts": 1})})
    with samesystem_of(hasty) as target:
        try:
            departments = target.departments()
        except FAILURES as error:
            yield what, "", f"{said.base_url}: {error}"
            return
        yield what, f"{said.base_url} answers and shows {len(departments)} departments", None
        numbers = sorted({department.dpt_no for department in departments if department.dpt_no})
        for number in numbers:
            try:
                target.place(number)
            except FAILURES as error:
                yield f"{what}, fields", "", str(error)
        stores = _stores(account)
        without = [department.name for department in departments if department.dpt_no is None]
        if stores is None:
            yield f"{what}, departments", f"with a number: {_listed(numbers)}; no stores are loaded yet", None
            return
        unknown = sorted(set(stores) - set(numbers))
        others = sorted(set(numbers) - set(stores)) + without
        told = f"{len(set(stores) & set(numbers))} stores have a department"
        told += f"; departments of no store: {_listed(others)}" if others else ""
        remedy = f"stores without a department: {_listed(unknown)}; set dpt_no in SameSystem, or ctx_tokens here"
        yield f"{what}, departments", told, remedy if unknown else None


def _stores(account: Account) -> list[str] | None:
    """The stores that have rows in the weekly balance of the read copy; None before the first run."""
    if not account.read_copy_path.exists():
        return None
    try:
        with duckdb.connect(str(account.read_copy_path), read_only=True) as con:
            rows = con.execute(
                "SELECT DISTINCT store_id FROM marts.weekly_balance_hourly WHERE store_id != 'unknown' ORDER BY 1"
            ).fetchall()
    except duckdb.Error:
        return None
    return [store for (store,) in rows]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return (", ".join(names[:_NAMED]) or "none") + more
