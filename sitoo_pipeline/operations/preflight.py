"""Can a run begin? Asked before anything is written, with little patience.

Does Sitoo answer, and does it know us? For a run that asks Sitoo for nothing: is there what it computes from?
"""

from __future__ import annotations

from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.settings import Account
from sitoo_pipeline.sitoo import RetryPolicy
from sitoo_pipeline.sitoo.errors import SitooError
from sitoo_pipeline.tables import raw
from sitoo_pipeline.warehouse.ledger import is_loaded

PATIENCE = RetryPolicy(attempts=2, wait_initial=0.3, wait_max=1.0, retry_after_max=2.0)
_CONNECT_SECONDS = 2.0
_READ_SECONDS = 15.0


def refusal(account: Account) -> SitooError | None:
    """Why the account's Sitoo system cannot be used now, or None. Takes a few seconds at most where nobody answers."""
    http = account.http.model_copy(
        update={
            "connect_timeout": min(_CONNECT_SECONDS, account.http.connect_timeout),
            "read_timeout": min(_READ_SECONDS, account.http.read_timeout),
        }
    )
    try:
        with Runtime.of(account.model_copy(update={"http": http})).sitoo(retry=PATIENCE) as client:
            client.get("/sites.json", {"num": 1}, expect="envelope")
    except SitooError as error:
        return error
    return None


def unreachable(account: Account) -> str | None:
    """Why a run makes no sense, or None.

    A Sitoo that is only busy (429, 5xx) has answered: the run, which is more patient, finds out whether that passes.
    """
    error = refusal(account)
    is_busy = error is not None and error.status is not None and (error.status in (408, 429) or error.status >= 500)
    return None if error is None or is_busy else str(error)


def never_fetched(account: Account) -> str | None:
    """Why computing from ``raw`` makes no sense, or None. Dates are judged one by one by the steps themselves.

    Raises:
        WarehouseLockedError: the file stayed open elsewhere.
        WarehouseVersionError: a newer pipeline wrote the file.
    """
    absent = [table.qualified for table in raw.REFERENCE]
    if account.warehouse_path.exists():
        with Runtime.of(account).warehouse.connect() as con:
            absent = [table.qualified for table in raw.REFERENCE if not is_loaded(con, table, None)]
    if not absent:
        return None
    return f"{', '.join(absent)} was never fetched, and the figures follow from it: run it without --no-fetch"
