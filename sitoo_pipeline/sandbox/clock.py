"""Trading days and instants: a trading day runs from 04:00 to 04:00 local time, so that it includes its late evening.

This is the sandbox's own book-keeping; what the outside sees of it is only that ids rise with arrival.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

_LAST_INSTANT = 2**33
DAY_STARTS = 4 * 60  # minutes after local midnight; no store is open then, and it exists on every day of the year


@lru_cache(maxsize=4096)
def instant(day: date, minute: int, zone: ZoneInfo) -> int:
    """Epoch seconds of the local time ``minute`` minutes after midnight of ``day``; from 1440 on the next date."""
    days, rest = divmod(minute, 24 * 60)
    local = datetime.combine(day + timedelta(days=days), time(rest // 60, rest % 60), tzinfo=zone)
    return int(local.timestamp())


def day_start(day: date, zone: ZoneInfo) -> int:
    """Epoch seconds at which the trading day ``day`` begins; it ends where the next begins."""
    return instant(day, DAY_STARTS, zone)


def trading_day(epoch: int, zone: ZoneInfo) -> date:
    """The trading day that the instant ``epoch`` belongs to; instants beyond every calendar count as its ends."""
    local = datetime.fromtimestamp(min(max(epoch, 0), _LAST_INSTANT), UTC).astimezone(zone)
    return local.date() - timedelta(days=local.hour * 60 + local.minute < DAY_STARTS)
