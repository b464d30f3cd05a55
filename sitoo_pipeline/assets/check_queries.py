"""What is checked: few questions per table, each a query that finds what must not be.

How they become checks in Dagster is in ``checks``; those of the reconciliation are in ``reconciliation_checks``.
"""

from __future__ import annotations

import dagster as dg

from sitoo_pipeline.assets.check import Check
from sitoo_pipeline.assets.reconciliation_checks import RECONCILIATION_CHECKS
from sitoo_pipeline.tables import Table, core, marts, meta, raw


def _keys(table: Table) -> Check:
    names = ", ".join(table.key)
    return Check(
        "no_row_twice",
        table,
        f"{names} occurs once",
        f"SELECT {names}, count(*) AS rows FROM {table.qualified} GROUP BY ALL HAVING count(*) > 1 ORDER BY ALL",
        blocking=True,
        remedy="Materialize the dates again; if it stays, the source sent the same object twice.",
        unique=table.key,
    )


def _shape(table: Table) -> Check:
    declared = ", ".join(f"('{column.name}', {number})" for number, column in enumerate(table.all_columns))
    return Check(
        "columns_as_declared",
        table,
        "the columns are those declared, in their order",
        f"SELECT coalesce(d.name, t.column_name) AS column_name, d.number AS declared, t.column_index AS found "
        f"FROM (VALUES {declared}) AS d(name, number) FULL JOIN (SELECT name AS column_name, cid AS column_index "
        f"FROM pragma_table_info('{table.qualified}')) AS t "
        "ON t.column_name = d.name WHERE d.number IS DISTINCT FROM t.column_index ORDER BY ALL",
        blocking=True,
        remedy="The file was made by another version of the pipeline: move it away and load the dates again.",
    )


_ADDS_UP = Check(
    "adds_up_to_order_lines",
    marts.HOURLY_SALES,
    "sales and returns of the day are the sums of its order lines, gift cards apart",
    """
    WITH ours AS (
        SELECT business_date, currency, sum(gross_sales) AS gross_sales, sum(returns) AS returns,
            sum(gift_card_sales) AS gift_cards
        FROM marts.hourly_sales WHERE business_date IN ({dates}) GROUP BY ALL
    ), lines AS (
        SELECT o.business_date, o.currency,
            coalesce(sum(l.money_item_total_gross) FILTER (l.side = 'sale' AND NOT l.is_gift_card), 0) AS gross_sales,
            -coalesce(sum(l.money_item_total_gross) FILTER (l.side = 'return' AND NOT l.is_gift_card), 0) AS returns,
            coalesce(sum(l.money_item_total_gross) FILTER (l.side IS NOT NULL AND l.is_gift_card), 0) AS gift_cards
        FROM core.orders AS o LEFT JOIN core.order_lines AS l USING (order_id)
        WHERE o.counts AND o.business_date IN ({dates}) GROUP BY ALL
    )
    SELECT business_date, currency, ours.*, lines.* FROM ours FULL JOIN lines USING (business_date, currency)
    WHERE (ours.gross_sales, ours.returns, ours.gift_cards) IS DISTINCT FROM
        (coalesce(lines.gross_sales, 0), coalesce(lines.returns, 0), coalesce(lines.gift_cards, 0))
    ORDER BY ALL
    """,
    blocking=True,
    remedy="Materialize core.orders and marts.hourly_sales of the date again.",
)

_HOURS_ADD_UP = Check(
    "adds_up_to_hours",
    marts.DAILY_SALES,
    "the day is the sum of its hours",
    """
    SELECT business_date, store_id, channel, currency, d.gross_sales, h.gross_sales AS of_hours
    FROM (FROM marts.daily_sales WHERE business_date IN ({dates})) AS d
    FULL JOIN (
        SELECT business_date, store_id, channel, currency, sum(gross_sales) AS gross_sales,
            sum(transactions) AS transactions
        FROM marts.hourly_sales WHERE business_date IN ({dates}) GROUP BY ALL
    ) AS h USING (business_date, store_id, channel, currency)
    WHERE (d.gross_sales, d.transactions) IS DISTINCT FROM (coalesce(h.gross_sales, 0), coalesce(h.transactions, 0))
    ORDER BY ALL
    """,
    remedy="Materialize marts.daily_sales of the date again.",
)

# An hour in which somebody came and nobody bought is of no register, no order line and, counted for a day, no hour.
_REGISTERS_ADD_UP = Check(
    "adds_up_to_hours",
    marts.REGISTER_SALES,
    "the registers of a store add up to the hours of its tills",
    """
    SELECT business_date, store_id, currency, r.gross_sales, r.returns, h.gross_sales AS of_hours,
        h.returns AS returns_of_hours
    FROM (
        SELECT business_date, store_id, currency, sum(gross_sales) AS gross_sales, sum(net_sales) AS net_sales,
            sum(discounts) AS discounts, sum(returns) AS returns, sum(transactions) AS transactions,
            sum(goods_sold) AS goods_sold, sum(goods_returned) AS goods_returned
        FROM marts.register_sales WHERE business_date IN ({dates}) GROUP BY ALL
    ) AS r
    FULL JOIN (
        SELECT business_date, store_id, currency, sum(gross_sales) AS gross_sales, sum(net_sales) AS net_sales,
            sum(discounts) AS discounts, sum(returns) AS returns, sum(transactions) AS transactions,
            sum(goods_sold) AS goods_sold, sum(goods_returned) AS goods_returned
        FROM marts.hourly_sales WHERE channel = 'pos' AND business_date IN ({dates}) GROUP BY ALL
    ) AS h USING (business_date, store_id, currency)
    WHERE (coalesce(r.gross_sales, 0), coalesce(r.net_sales, 0), coalesce(r.discounts, 0), coalesce(r.returns, 0),
            coalesce(r.transactions, 0), coalesce(r.goods_sold, 0), coalesce(r.goods_returned, 0))
        IS DISTINCT FROM
        (h.gross_sales, h.net_sales, h.discounts, h.returns, h.transactions, h.goods_sold, h.goods_returned)
    ORDER BY ALL
    """,
    blocking=True,
    remedy="Materialize marts.hourly_sales and marts.register_sales of the date again.",
)

_ALL_HOURS = Check(
    "all_hours_present",
    marts.WEEKLY_BALANCE_HOURLY,
    "every store has the hours 0 to 23",
    "SELECT business_date, store_id, currency, count(DISTINCT hour) AS hours FROM marts.weekly_balance_hourly "
    "WHERE business_date IN ({dates}) GROUP BY ALL HAVING count(DISTINCT hour) != 24 ORDER BY ALL",
    blocking=True,
    remedy="Materialize marts.weekly_balance_hourly of the date again.",
)

_STOCK_AGREES = Check(
    "differences_have_a_cause",
    marts.STOCK_RECONCILIATION,
    "the stock moved as much as was sold and taken back, or it is known why not",
    "SELECT business_date, store_id, sku, side, ours_goods, stock_goods, diff_goods, unexplained_goods "
    "FROM marts.stock_reconciliation WHERE business_date IN ({dates}) AND cause = 'unknown' "
    "ORDER BY abs(unexplained_goods) DESC, business_date, store_id, sku, side",
    severity=dg.AssetCheckSeverity.WARN,
    remedy="Compare the orders of the SKU with its stock log in Sitoo. The stock lacks what was sold and never "
    "delivered, or delivered by hand; it moved too much where a delivery was booked twice or an order is missing. What "
    "reaches Sitoo late clears up when the date is loaded again.",
)

_MORE_CAME = Check(
    "more_came_than_bought",
    marts.DAILY_SALES,
    "where visitors are counted, there were at least as many as transactions",
    "SELECT business_date, store_id, sum(visitors)::INTEGER AS visitors, sum(transactions)::INTEGER AS transactions "
    "FROM marts.daily_sales WHERE business_date IN ({dates}) AND channel = 'pos' GROUP BY business_date, store_id "
    "HAVING sum(visitors) < sum(transactions) ORDER BY ALL",
    severity=dg.AssetCheckSeverity.WARN,
    remedy="Look at the counter: it stood still, a door has none, or its counts came late and the date is loaded again "
    "when they are there. Until then the conversion of the store and date says nothing.",
)

_QUARANTINE = tuple(
    Check(
        "nothing_refused",
        table,
        "no object broke a rule",
        f"SELECT business_date, rule, path, object_key, _landing_file FROM {meta.QUARANTINE.qualified} "
        f"WHERE table_name = '{table.qualified}' AND business_date IN ({{dates}}) ORDER BY ALL",
        severity=dg.AssetCheckSeverity.WARN,
        remedy="Correct the object in Sitoo and materialize the date again; meta.quarantine has what was sent.",
    )
    for table in (*raw.DATED, raw.VISITORS)
)

_KEYED = (core.ORDERS, core.ORDER_LINES, core.Z_REPORTS, core.STOCK_MOVEMENTS, core.VISITORS, *marts.TABLES)
CHECKS: tuple[Check, ...] = (
    *_QUARANTINE,
    *(_keys(table) for table in _KEYED),
    *(_shape(table) for table in _KEYED),
    _ADDS_UP,
    _HOURS_ADD_UP,
    _REGISTERS_ADD_UP,
    _ALL_HOURS,
    *RECONCILIATION_CHECKS,
    _STOCK_AGREES,
)

VISITOR_CHECKS: tuple[Check, ...] = (_MORE_CAME,)
"""Of tables that every account has, for accounts that have a source of visitors."""
