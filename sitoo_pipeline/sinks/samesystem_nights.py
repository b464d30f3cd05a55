"""When a day is over for SameSystem, and when SameSystem confirms it by itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sitoo_pipeline.sinks.samesystem_records import StoreDay


@dataclass(frozen=True)
class Nights:
    """Times of the day after, in the store's zone; between the two, figures can be saved without reopening anything."""

    confirm_from: time = time(2)
    auto_confirm_at: time = time(5)
    timezone: str = "Europe/Stockholm"
    store_timezones: Mapping[str, str] = field(default_factory=dict)

    def is_over(self, entry: StoreDay, now: datetime) -> bool:
        """Whether the day may be confirmed: before, a shop may still sell, or a till be closed."""
        return now >= self._after(entry, self.confirm_from)

    def is_late(self, entry: StoreDay, now: datetime) -> bool:
        """Whether SameSystem has confirmed the day by itself, where it does so."""
        return now >= self._after(entry, self.auto_confirm_at)

    def _after(self, entry: StoreDay, moment: time) -> datetime:
        zone = ZoneInfo(self.store_timezones.get(entry.store_id, self.timezone))
        return datetime.combine(entry.day + timedelta(days=1), moment, zone)
