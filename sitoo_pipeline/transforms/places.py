"""Where and when: the store, time zone and business date of an order, a z-report or a stock movement.

Used twice: while raw objects are dated for their partition, and again when ``core`` is built. What a sale is worth or
whether it counts does not belong here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from functools import cached_property, lru_cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import polars as pl

from sitoo_pipeline.transforms.frames import UNKNOWN


@lru_cache(maxsize=1024)
def is_time_zone(name: str) -> bool:
    """Whether ``name`` is an IANA zone that both Python and Polars know, spelled exactly."""
    if name not in available_timezones():
        return False
    try:
        pl.Series([], dtype=pl.Datetime("us", "UTC")).dt.convert_time_zone(name)
    except pl.exceptions.ComputeError:
        return False
    return True


def date_in_zone(instant: datetime, timezone: str) -> date:
    """Calendar date of an aware instant in an IANA zone."""
    return instant.astimezone(ZoneInfo(timezone)).date()


@dataclass(frozen=True, eq=False)
class Places:
    """What is known of an account's stores: Sitoo's lists as ``core`` has them, and the zones of the settings.

    ``store_timezones`` maps external store ids to IANA zones; every other store is in ``account_timezone``. Of two
    stores listed with one external id, the one with Sitoo's lower number names it.

    Raises:
        ValueError: a zone is no IANA zone.
    """

    account_timezone: str
    stores: pl.DataFrame = field(repr=False)
    warehouses: pl.DataFrame = field(repr=False)
    registers: pl.DataFrame = field(repr=False)
    store_timezones: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for zone in (self.account_timezone, *self.store_timezones.values()):
            if not is_time_zone(zone):
                raise ValueError(f"{zone!r} is no IANA time zone")

    def timezone_of(self, store_id: str) -> str:
        """Zone of a store by the settings: its own, else the account's."""
        return self.store_timezones.get(store_id, self.account_timezone)

    @cached_property
    def store_names(self) -> dict[str, str]:
        """Name by external store id, of the stores that Sitoo lists with both."""
        return _lookup(self.stores.sort("sitoo_store_id", descending=True), "store_id", "name")

    @cached_property
    def store_of_warehouse(self) -> dict[int, str]:
        """External store id by warehouse id."""
        return _lookup(self.warehouses, "warehouse_id", "store_id")

    @cached_property
    def store_of_register(self) -> dict[str, str]:
        """External store id by register id."""
        return _lookup(self.registers, "register_id", "store_id")


def place_orders(hints: pl.DataFrame, *, places: Places) -> pl.DataFrame:
    """The hints, in their order, with store, channel, zone, business date and local hour of each order.

    Store: as the order recorded it, else that of its register's warehouse, else of its own warehouse, else
    ``unknown``; the order's word comes first because registers and warehouses move. Name: as Sitoo lists the store,
    else as the order recorded it. Zone: the till's, if it is an IANA zone, else the store's in the settings, else the
    account's. An empty text counts as absent.

    Args:
        hints: ``order_id``, ``ordered_at``, ``register_id``, ``warehouse_id``, ``pos_timezone``,
            ``store_external_id``, ``store_snapshot_name``; other columns stay as they are.
        places: the account's stores and zones.

    Returns:
        ``hints`` and ``timezone``, ``business_date``, ``hour_start`` (an instant in UTC), ``local_hour``, ``store_id``,
        ``store_name`` (may be null), ``channel`` (``pos`` or ``online``).
    """
    register = _present("register_id")
    store = pl.coalesce(
        _present("store_external_id"),
        _mapped(register, places.store_of_register),
        _mapped(pl.col("warehouse_id"), places.store_of_warehouse),
        pl.lit(UNKNOWN),
    )
    stated = hints.get_column("pos_timezone").drop_nulls().unique()
    own_zone = _mapped(pl.col("pos_timezone"), {zone: zone for zone in stated if is_time_zone(zone)})
    placed = hints.with_columns(store_id=store).with_columns(
        timezone=pl.coalesce(own_zone, _store_zone(places)),
        store_name=pl.coalesce(
            _mapped(pl.col("store_id"), places.store_names), _present("store_snapshot_name"), pl.lit(None, pl.String)
        ),
        channel=pl.when(register.is_not_null()).then(pl.lit("pos")).otherwise(pl.lit("online")),
    )
    return _in_zones(
        placed,
        "ordered_at",
        lambda local: {
            "business_date": local.dt.date(),
            "hour_start": local.dt.truncate("1h").dt.convert_time_zone("UTC"),
            "local_hour": local.dt.hour().cast(pl.Int32),
        },
    )


def place_z_reports(z_reports: pl.DataFrame, *, places: Places) -> pl.DataFrame:
    """The z-reports, in their order, with the ``business_date`` on which each was closed.

    A z-report names no zone: its date is in its store's zone from the settings, else the account's.

    Args:
        z_reports: ``store_id`` (external), ``closed_at``; other columns stay as they are.
        places: the account's stores and zones.
    """
    zoned = z_reports.with_columns(timezone=_store_zone(places))
    return _in_zones(zoned, "closed_at", lambda local: {"business_date": local.dt.date()}).drop("timezone")


def place_movements(movements: pl.DataFrame, *, places: Places) -> pl.DataFrame:
    """The movements, in their order, with ``store_id`` of the warehouse (or ``unknown``) and ``business_date`` there.

    Args:
        movements: ``warehouse_id``, ``moved_at``; other columns stay as they are.
        places: the account's stores and zones.
    """
    store = pl.coalesce(_mapped(pl.col("warehouse_id"), places.store_of_warehouse), pl.lit(UNKNOWN))
    zoned = movements.with_columns(store_id=store).with_columns(timezone=_store_zone(places))
    return _in_zones(zoned, "moved_at", lambda local: {"business_date": local.dt.date()}).drop("timezone")


def dates_in_store(frame: pl.DataFrame, columns: Iterable[str], *, places: Places) -> pl.DataFrame:
    """``frame`` with each instant of ``columns`` turned into its date in the zone of ``store_id`` by the settings."""
    dated = frame.with_columns(timezone=_store_zone(places))
    for column in columns:
        dated = _in_zones(dated, column, lambda local, name=column: {name: local.dt.date()})  # type: ignore[misc]
    return dated.drop("timezone")


def _in_zones(frame: pl.DataFrame, instant: str, columns: Callable[[pl.Expr], Mapping[str, pl.Expr]]) -> pl.DataFrame:
    """``frame`` with ``columns`` of the instant in each row's ``timezone``: one conversion per zone, not per row."""
    rows = frame.with_row_index("_row")
    parts = rows.partition_by("timezone", as_dict=True) or {("UTC",): rows}
    converted = [
        part.with_columns(**columns(pl.col(instant).dt.convert_time_zone(str(zone)))) for (zone,), part in parts.items()
    ]
    return pl.concat(converted).sort("_row").drop("_row")


def _lookup(frame: pl.DataFrame, key: str, value: str) -> dict[Any, str]:
    return dict(frame.select(key, value).filter(pl.col(key).is_not_null(), pl.col(value) != "").iter_rows())


def _present(column: str) -> pl.Expr:
    return pl.when(pl.col(column) != "").then(pl.col(column))


def _mapped(expr: pl.Expr, lookup: Mapping[Any, str]) -> pl.Expr:
    return expr.replace_strict(dict(lookup), default=None, return_dtype=pl.String)


def _store_zone(places: Places) -> pl.Expr:
    return _mapped(pl.col("store_id"), places.store_timezones).fill_null(places.account_timezone)
