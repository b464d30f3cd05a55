"""The state of each date of each account, for the command ``status``, the demo and tests.

What a state is, and from what it follows, is in ``assets/inventory``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

from sitoo_pipeline.assets.day_status import DayStatus
from sitoo_pipeline.assets.inventory import Inventory, dates_until, take_inventory
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.operations.dates import dates_between, today
from sitoo_pipeline.operations.faults import exit_code, explained
from sitoo_pipeline.settings import Account, Settings


@dataclass(frozen=True)
class AccountStatus:
    """One account: its inventory, or ``trouble``: why there is none."""

    account: str
    inventory: Inventory = field(default_factory=lambda: Inventory(()))
    trouble: str | None = None

    @property
    def is_failure(self) -> bool:
        """Whether somebody has to do something."""
        return bool(self.trouble) or any(day.state.is_failure for day in self.inventory.days)


def survey(settings: Settings, first: date | None, last: date | None) -> Iterator[AccountStatus]:
    """Every account from ``first`` (its start without one) to ``last`` (today without one), both included.

    An account that cannot be read does not hold up the others. One that starts later than today has no dates.

    Raises:
        RangeError: the period is empty, begins before an account does, or lies in the future.
    """
    wanted = [(account, _dates(account, first, last)) for account in settings.accounts]
    for account, dates in wanted:
        try:
            yield AccountStatus(account.name, _taken(account, dates))
        except Exception as error:
            if exit_code(error) == 2 or not (text := explained(error)):
                raise
            yield AccountStatus(account.name, trouble=text)


def statuses(account: Account, dates: Sequence[date]) -> list[DayStatus]:
    """The state of ``dates`` of one account, in order.

    Raises:
        WarehouseLockedError: the warehouse is open in another program, and there is no read copy.
    """
    return list(_taken(account, dates).days)


def _taken(account: Account, dates: Sequence[date]) -> Inventory:
    return take_inventory(Runtime.of(account), dates, now=datetime.now(UTC))


def _dates(account: Account, first: date | None, last: date | None) -> list[date]:
    if first is None and last is None:
        return dates_until(Runtime.of(account), datetime.now(UTC))
    begin = first or account.start_date
    return dates_between(account, begin, last or max(begin, today(account)))
