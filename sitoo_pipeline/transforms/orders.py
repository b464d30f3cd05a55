"""``core.orders``: every order with its place, and whether it counts as a sale.

The lines of an order are in ``order_lines``; what is summed of it in ``sales``.
"""

from __future__ import annotations

import polars as pl

from sitoo_pipeline.tables import core
from sitoo_pipeline.transforms.frames import fit
from sitoo_pipeline.transforms.places import Places, place_orders

ORDINARY, BOOKING, PARKED = 10, 100, 110
CANCELLED, ABANDONED = 20, -1
SUCCESSFUL = 20
UNSUCCESSFUL = (0, 10, 15, 30, 40)


def orders(source: pl.DataFrame, *, places: Places) -> pl.DataFrame:
    """``core.orders``: each order placed in store, zone and hour, with ``counts`` and the reason where it does not.

    An order counts if its type is 10, its state neither cancelled nor abandoned and its payment successful. A type or
    a payment state that is absent or unknown does not count; a state that is absent or unknown does, since only two
    states rule an order out. The first reason that holds is given: type, then state, then payment.

    An order keeps the ``business_date`` under which it was loaded, so that it stays in its partition when the zones
    in the settings change; the local hour follows the settings. Loading the day again brings both in line.

    Args:
        source: the columns of ``core.orders`` that Sitoo sends, and ``core.ORDER_HINTS``.
        places: the account's stores and zones.
    """
    reason = _reason()
    placed = place_orders(source, places=places).with_columns(source.get_column("business_date"))
    return fit(placed.with_columns(counts=reason.is_null(), not_counted_reason=reason), core.ORDERS)


def _reason() -> pl.Expr:
    """Why an order does not count, in words; null where it does. Unknown members are spelled ``unknown_<n>``."""
    kind, state, payment = pl.col("order_type_id"), pl.col("order_state_id"), pl.col("payment_state_id")
    return (
        pl.when(kind.is_null())
        .then(pl.lit("order type not given"))
        .when(kind == BOOKING)
        .then(pl.lit("booking"))
        .when(kind == PARKED)
        .then(pl.lit("parked cart"))
        .when(kind != ORDINARY)
        .then(pl.format("order type unknown_{}", kind))
        .when(state == CANCELLED)
        .then(pl.lit("cancelled"))
        .when(state == ABANDONED)
        .then(pl.lit("abandoned"))
        .when(payment.is_null())
        .then(pl.lit("payment state not given"))
        .when(payment.is_in(UNSUCCESSFUL))
        .then(pl.format("payment not successful ({})", payment))
        .when(payment != SUCCESSFUL)
        .then(pl.format("payment not successful (unknown_{})", payment))
        .otherwise(pl.lit(None, pl.String))
    )
