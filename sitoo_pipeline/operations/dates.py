"""Business dates as a person names them: which day it is for an account, and which periods there are."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sitoo_pipeline.operations.faults import RangeError
from sitoo_pipeline.settings import Account


def today(account: Account) -> date:
    """The business date that the account's clock shows."""
    return datetime.now(ZoneInfo(account.timezone)).date()


def yesterday(account: Account) -> date:
    """The last business date that is over on the account's clock."""
    return today(account) - timedelta(days=1)


def dates_between(account: Account, first: date, last: date, *, option: str = "") -> list[date]:
    """The business dates from ``first`` to ``last``, both included; ``option`` is what a single date was given by.

    Raises:
        RangeError: the period is empty, begins before the account does, or lies in the future.
    """
    begin, end = option or "--from", option or "--to"
    if last < first:
        raise RangeError(f"{end} {last} is before {begin} {first}")
    if first < account.start_date:
        raise RangeError(f"{begin} {first} is before {account.start_date}, on which {account.name} starts")
    if last > today(account):
        raise RangeError(f"{end} {last} is in the future: for {account.name} it is {today(account)}")
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]
