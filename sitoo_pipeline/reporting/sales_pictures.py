"""The parts of the report that show sales in one currency: totals, hours, dates, returns and discounts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import polars as pl

from sitoo_pipeline.reporting import charts
from sitoo_pipeline.reporting.figures import MEASURES, WEEK, Figures, added
from sitoo_pipeline.reporting.layout import CurrencyPart, DataTable, Figure, Tile
from sitoo_pipeline.reporting.wording import NONE, change, money, percent, ratio, share, signed, spans, weekday, whole

Totals = dict[str, Any]
Place = tuple[str, str]
"""A store's id and the channel."""


@dataclass(frozen=True)
class _Sales:
    """The frames of one currency."""

    figures: Figures
    currency: str
    days: pl.DataFrame
    hours: pl.DataFrame

    @classmethod
    def of(cls, figures: Figures, currency: str) -> _Sales:
        here = pl.col("currency") == currency
        return cls(figures, currency, figures.days.filter(here), figures.hours.filter(here))

    def added(self, dates: Sequence[date], *by: str) -> list[Totals]:
        """The measures of ``dates``, added up for each of ``by``."""
        chosen = self.days.filter(pl.col("business_date").is_in(list(dates)))
        return (
            chosen.group_by(by).agg(*added(MEASURES)).sort(by) if by else chosen.select(*added(MEASURES))
        ).to_dicts()

    def by_hour(self, dates: Sequence[date], channel: str) -> dict[tuple[str, str, int], Decimal]:
        """Gross sales of ``dates`` for each store, channel and local hour."""
        chosen = self.hours.filter(pl.col("business_date").is_in(list(dates)), pl.col("channel") == channel)
        keys = ("store_id", "channel", "local_hour")
        return {
            (row["store_id"], row["channel"], row["local_hour"]): row["gross_sales"]
            for row in chosen.group_by(keys).agg(pl.col("gross_sales").sum()).sort(keys).to_dicts()
        }

    @property
    def places(self) -> list[Place]:
        """Where something was sold in the period: tills first, then what was sold online."""
        rows = self.added(self.figures.present, "store_id", "channel")
        return sorted(((row["store_id"], row["channel"]) for row in rows), key=lambda place: (place[1] != "pos", place))

    @property
    def channels(self) -> list[str]:
        """The channels of the period, the tills first."""
        return list(dict.fromkeys(channel for _, channel in self.places))

    def named(self, place: Place) -> str:
        """``0101 Göteborg Nordstan, online``."""
        store, channel = place
        name = "no store" if store == "unknown" else f"{store} {self.figures.names.get(store, '')}".strip()
        return name if channel == "pos" else f"{name}, {channel}"


def short(place: Place) -> str:
    """The place by its id, where there is little room."""
    store, channel = place
    name = "no store" if store == "unknown" else store
    return name if channel == "pos" else f"{name} {channel}"


def sales_part(figures: Figures, currency: str) -> CurrencyPart:
    """The period in one currency."""
    sales = _Sales.of(figures, currency)
    [total] = sales.added(figures.present)
    made = [
        _week_against_week(sales),
        *(draw(sales, channel) for channel in sales.channels for draw in (_hours_by_store, _hours_compared)),
        _returns_and_discounts(sales),
    ]
    return CurrencyPart(currency, _tiles(sales, total), _compared_dates(figures), [one for one in made if one])


def _compared_dates(figures: Figures) -> str:
    if not figures.comparable:
        return "No date of the period has its weekday of the week before loaded, so nothing is compared."
    if figures.comparable == figures.present:
        return "Each date is compared with the same weekday a week before."
    return (
        f"Compared with the same weekday a week before: {len(figures.comparable)} of {len(figures.present)} dates, "
        f"those of which that weekday is loaded ({spans(figures.comparable)})."
    )


def _tiles(sales: _Sales, total: Totals) -> list[Tile]:
    [now] = sales.added(sales.figures.comparable)
    [before] = sales.added([day - WEEK for day in sales.figures.comparable])

    def compared(name: str) -> str:
        return f"{change(now[name], before[name])} on the week before" if before[name] else ""

    full_price = total["gross_sales"] + total["discounts"]
    tiles = [
        Tile("Gross sales", money(total["gross_sales"]), compared("gross_sales")),
        Tile("Net sales", money(total["net_sales"]), compared("net_sales")),
        Tile(
            "Returns",
            money(total["returns"]),
            f"{percent(share(total['returns'], total['gross_sales']))} of gross sales",
        ),
        Tile("Discounts", money(total["discounts"]), f"{percent(share(total['discounts'], full_price))} of full price"),
        Tile("Transactions", whole(total["transactions"]), compared("transactions")),
        Tile("Goods sold", whole(total["goods_sold"]), compared("goods_sold")),
        Tile("Average basket", ratio(total["gross_sales"], total["transactions"]), "gross sales per transaction"),
        Tile("Goods per transaction", ratio(total["goods_sold"], total["transactions"])),
    ]
    if total["visitors"]:
        rate = percent(share(sales.figures.bought_where_counted(sales.currency), total["visitors"]))
        tiles.append(Tile("Visitors", whole(total["visitors"]), f"{rate} bought something, where they were counted"))
    return tiles


def _hours_by_store(sales: _Sales, channel: str) -> Figure:
    cells = sales.by_hour(sales.figures.present, channel)
    hours = list(range(min(key[2] for key in cells), max(key[2] for key in cells) + 1))
    places = [place for place in sales.places if place[1] == channel]
    drawn = [
        {"place": sales.named(place), "short": short(place), "hour": f"{hour:02}", "value": float(amount),
         "said": _short_amount(amount)}
        for place in places for hour in hours
        if (amount := cells.get((*place, hour)))
    ]  # fmt: skip
    heat = charts.heat_map(
        drawn, [f"{hour:02}" for hour in hours], charts.steps(cells.values()), title=f"gross sales, {sales.currency}"
    )
    rows, best = [], set()
    for at, place in enumerate(places):
        amounts = [cells.get((*place, hour)) for hour in hours]
        known = [amount for amount in amounts if amount is not None]
        best.add((at, 1 + amounts.index(max(known))))
        rows.append(
            [sales.named(place), *("" if one is None else money(one) for one in amounts), money(sum(known, Decimal()))]
        )
    sums = [sum((amount for key, amount in cells.items() if key[2] == hour), Decimal()) for hour in hours]
    table = DataTable(
        f"Gross sales in {sales.currency} per store and local hour, all dates of the period together. "
        "The best hour of each row is set off.",
        ["Store", *(f"{hour:02}" for hour in hours), "All hours"],
        rows,
        total=["All", *map(money, sums), money(sum(sums, Decimal()))],
        emphasised=frozenset(best),
    )
    says = (
        "The further from the colour of the page, the more was sold in that hour, all dates together. An hour without "
        "sales is empty. Hours are those of the store's own clock."
    )
    label = f"Heat map of gross sales in {sales.currency} per store and hour; the table below has the figures"
    heading = "Sales by store and hour" if channel == "pos" else f"Sold {channel} by store and hour"
    return Figure(heading, says, table, charts.draw(heat, label=label))


def _short_amount(amount: Decimal) -> str:
    """``12k``, as it fits into a cell."""
    for unit, sign in ((10**6, "M"), (10**3, "k")):
        if abs(amount) >= unit:
            return f"{amount / unit:.1f}{sign}" if abs(amount) < 10 * unit else f"{amount / unit:.0f}{sign}"
    return f"{amount:.0f}"


def _hours_compared(sales: _Sales, channel: str) -> Figure | None:
    dates = sales.figures.comparable or sales.figures.present
    now = sales.by_hour(dates, channel)
    before = sales.by_hour([day - WEEK for day in sales.figures.comparable], channel)
    keys = {*now, *before}
    if not keys:  # sold on dates alone that have nothing to be compared with
        return None
    order = sorted({key[:2] for key in keys})
    number, drawn, rows = len(dates), [], []
    for place in order:
        its_hours = [hour for *store, hour in keys if tuple(store) == place]
        for hour in range(min(its_hours), max(its_hours) + 1):
            key = (*place, hour)
            mean_now = _mean(now.get(key), number)
            mean_before = _mean(before.get(key), number) if before else None
            named = {"place": sales.named(place), "short": short(place), "hour": hour}
            drawn.append({**named, "series": "this period", "value": float(mean_now)})
            if mean_before is not None:
                drawn.append({**named, "series": "a week before", "value": float(mean_before)})
            if mean_now or mean_before:
                rows.append([
                    sales.named(place), f"{hour:02}", money(mean_now), money(mean_before),
                    signed(None if mean_before is None else mean_now - mean_before), change(mean_now, mean_before),
                ])  # fmt: skip
    lines = charts.small_lines(drawn)
    table = DataTable(
        f"Gross sales in {sales.currency} per store and local hour: mean of {number} "
        f"{'date' if number == 1 else 'dates'}, and of the same weekdays a week before.",
        ["Store", "Hour", "This period", "A week before", "Difference", "Change"],
        rows,
        titles=2,
    )
    says = (
        f"Gross sales per hour in {sales.currency}, the mean of the dates: drawn through for this period, dashed for "
        "the same weekdays a week before. Each store has a scale of its own."
    )
    label = f"Lines of gross sales per hour for each store, in {sales.currency}; the table below has the figures"
    heading = "The day of each store" if channel == "pos" else f"The day of each store, {channel}"
    return Figure(heading, says, table, charts.draw(lines, label=label))


def _mean(amount: Decimal | None, number: int) -> Decimal:
    return ((amount or Decimal()) / number).quantize(Decimal("0.01"))


def _week_against_week(sales: _Sales) -> Figure:
    loaded = sales.figures.loaded
    nothing = dict.fromkeys(MEASURES, Decimal())
    found = {row["business_date"]: row for row in sales.added(sorted(loaded), "business_date")}
    drawn: list[dict[str, Any]] = []
    rows = []
    for day in sales.figures.dates:
        now = found.get(day, nothing) if day in loaded else None
        before = found.get(day - WEEK, nothing) if day - WEEK in loaded else None
        earlier: Decimal | None = before["gross_sales"] if before else None
        for series, of_day in (("this period", now), ("a week before", before)):
            value = None if of_day is None else float(of_day["gross_sales"])
            drawn.append({"day": f"{day}T00:00:00", "series": series, "value": value})
        if now is None:
            rows.append([weekday(day), "not loaded", money(earlier), *[NONE] * 5])
            continue
        gross = now["gross_sales"]
        rows.append([
            weekday(day), money(gross), money(earlier), signed(None if earlier is None else gross - earlier),
            change(gross, earlier), money(now["net_sales"]), whole(now["transactions"]),
            ratio(gross, now["transactions"]),
        ])  # fmt: skip
    [total] = sales.added(sales.figures.present)
    [compared] = sales.added(sales.figures.comparable)
    [week_before] = sales.added([day - WEEK for day in sales.figures.comparable])
    has_any = bool(sales.figures.comparable)
    table = DataTable(
        f"Sales in {sales.currency} per business date. The last row compares only the dates that can be compared.",
        ["Date", "Gross sales", "A week before", "Difference", "Change", "Net sales", "Transactions", "Average basket"],
        rows,
        total=[
            "All", money(total["gross_sales"]), money(week_before["gross_sales"] if has_any else None),
            signed(compared["gross_sales"] - week_before["gross_sales"] if has_any else None),
            change(compared["gross_sales"], week_before["gross_sales"]) if has_any else NONE,
            money(total["net_sales"]), whole(total["transactions"]), ratio(total["gross_sales"], total["transactions"]),
        ],
    )  # fmt: skip
    says = "Each date beside the same weekday a week before. A date that is not loaded leaves a gap."
    lines = charts.week_lines(drawn, title=f"gross sales, {sales.currency}")
    label = f"Lines of gross sales in {sales.currency} per date and a week before; the table below has the figures"
    return Figure("Week against week", says, table, charts.draw(lines, label=label))


def _returns_and_discounts(sales: _Sales) -> Figure:
    by_place = {
        (row["store_id"], row["channel"]): row for row in sales.added(sales.figures.present, "store_id", "channel")
    }
    measures = ("returns, of gross sales", "discounts, of full price")
    drawn, rows = [], []
    for place in sales.places:
        row = by_place[place]
        for measure, value in zip(measures, _shares(row), strict=True):
            drawn.append({
                "place": sales.named(place), "short": short(place), "measure": measure, "value": float(value or 0),
                "said": percent(value),
            })  # fmt: skip
        rows.append([sales.named(place), *_given_back(row)])
    [total] = sales.added(sales.figures.present)
    table = DataTable(
        f"Returns and discounts in {sales.currency} per store, including VAT. Full price: gross sales and discounts.",
        ["Store", "Gross sales", "Returns", "Of sales", "Goods returned", "Discounts", "Of full price", "Transactions",
         "Average basket", "Goods per transaction"],
        rows,
        total=["All", *_given_back(total)],
    )  # fmt: skip
    says = "How much of what was sold came back, and how much of the full price was given away."
    label = "Bars of the share of returns and of discounts per store; the table below has the figures"
    return Figure("Returns and discounts", says, table, charts.draw(charts.shares(drawn, measures), label=label))


def _shares(row: Totals) -> tuple[Decimal | None, Decimal | None]:
    return share(row["returns"], row["gross_sales"]), share(row["discounts"], row["gross_sales"] + row["discounts"])


def _given_back(row: Totals) -> list[str]:
    returned, given = _shares(row)
    return [
        money(row["gross_sales"]), money(row["returns"]), percent(returned), whole(row["goods_returned"]),
        money(row["discounts"]), percent(given), whole(row["transactions"]),
        ratio(row["gross_sales"], row["transactions"]), ratio(row["goods_sold"], row["transactions"]),
    ]  # fmt: skip
