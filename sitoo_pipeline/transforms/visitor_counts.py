"""What was counted at the doors, out of what was received: Sitoo's custom metrics, and lines of CSV files.

Either gives **counts**: a store, a date, what of the day, a number. Whether a count can be believed is decided here for
both, by rules with names; what breaks one is refused with what it was read from, and nothing is guessed. In which hour
of the store a count falls is in ``visitors``.
"""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import polars as pl

from sitoo_pipeline.tables import raw
from sitoo_pipeline.tables.raw_visitors import WHOLE_DAY
from sitoo_pipeline.transforms.frames import fit
from sitoo_pipeline.transforms.places import Places

REQUIRED, OPTIONAL = ("store_id", "visitors"), ("date", "hour", "instant")
"""The columns that a file can have; beside the required ones ``date``, with or without ``hour``, or ``instant``."""

METRIC_SHAPE = {
    "key": None,
    "date": None,
    "store_id": None,
    "value_scalar": None,
    "value_series": {"total_count": None, "total_value": None, "series": {"label": None, "value": None}},
}
"""The documented fields of a value of a custom metric."""

_CLOCK = re.compile(r"([01]?[0-9]|2[0-3])(?::([0-5][0-9])(?::00)?)?")
_WHOLE = re.compile(r"[-+]?[0-9]{1,9}(\.0+)?")


Fault = tuple[str, str]
"""A rule that was broken, and the path of the field that broke it."""


@dataclass(frozen=True, kw_only=True)
class Count:
    """One count as it was given; ``period`` is an hour, a time or an instant, and None for the whole day.

    ``source`` is the metric or the file that has it, ``where`` names it for a person, ``given`` is what it was read
    from. ``fields`` are the paths of date, period and number. ``broken`` says what kept it from being read further.
    """

    source: str
    where: str
    given: Any = field(repr=False)
    store_id: Any = None
    day: Any = None
    period: Any = None
    visitors: Any = None
    fields: tuple[str, str, str] = ("date", "hour", "visitors")
    broken: Fault | None = None


class RefusedCount(NamedTuple):
    """A count that breaks ``rule`` in the field ``path``; ``day`` is its date where it tells one."""

    day: date | None
    rule: str
    path: str
    source: str
    where: str
    given: str


def counts_of_metric(objects: Iterable[Any], *, metric: str) -> Iterator[Count]:
    """The counts in values of a custom metric: each entry of a series, else the scalar as that of the whole day.

    A series is documented as labels with values, and its labels are taken for hours. Values of other metrics are left
    out: Sitoo answers with all it has where it does not know a parameter.
    """
    for item in objects:
        if not isinstance(item, dict):
            yield Count(source=metric, where=metric, given=item, broken=("object", ""))
        elif item.get("key") == metric:
            yield from _counts_of_value(item, metric)


def _counts_of_value(item: Mapping[str, Any], metric: str) -> Iterator[Count]:
    store, day, series, scalar = (item.get(name) for name in ("store_id", "date", "value_series", "value_scalar"))
    said = Count(source=metric, where=f"{metric}/{day}/{store}", given=item, store_id=store, day=day)
    if series is None or (scalar is not None and isinstance(series, dict) and not series.get("series")):
        fields = ("date", "date", "value_scalar")
        yield replace(said, visitors=scalar, fields=fields, broken=("no_count", "") if scalar is None else None)
        return
    entries = series.get("series") if isinstance(series, dict) else None
    entries = [entries] if isinstance(entries, dict) else entries
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        yield replace(said, broken=("shape", "value_series.series"))
        return
    fields = ("date", "value_series.series.label", "value_series.series.value")
    for entry in entries:
        label = "" if entry.get("label") is None else entry["label"]
        yield replace(said, period=label, visitors=entry.get("value"), fields=fields)


def counts_of_file(text: str, *, name: str) -> Iterator[Count]:
    """The counts in a CSV file: a line of titles, then a count a line. Separated by ``,`` or ``;``, as the titles are.

    Lines without anything in them are left out.
    """
    lines = text.splitlines()
    reader = csv.reader(lines, delimiter=";" if lines and ";" in lines[0] else ",", strict=True)

    def broken(rule: str, path: str = "") -> Count:
        number = max(1, reader.line_num)
        return Count(
            source=name, where=f"{name}:{number}", given="".join(lines[number - 1 : number]), broken=(rule, path)
        )

    try:
        titles = [title.strip() for title in next(reader, [])]
        if (fault := _wrong_title(titles)) is not None:
            yield broken("titles", fault)
            return
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) != len(titles):
                yield broken("columns")
                continue
            row = dict(zip(titles, (cell.strip() for cell in cells), strict=True))
            period = row.get("instant", row.get("hour"))
            yield Count(
                source=name,
                where=f"{name}:{reader.line_num}",
                given=lines[reader.line_num - 1],
                store_id=row["store_id"],
                day=row.get("date"),
                period=period,
                visitors=row["visitors"],
                fields=("instant", "instant", "visitors") if "instant" in row else ("date", "hour", "visitors"),
            )
    except csv.Error:
        yield broken("quotes")


def _wrong_title(titles: Sequence[str]) -> str | None:
    """Which title is wrong or missing, None where a file can be read by them."""
    for number, title in enumerate(titles):
        if title not in (*REQUIRED, *OPTIONAL) or title in titles[:number]:
            return title
    for title in REQUIRED:
        if title not in titles:
            return title
    if ("date" in titles) == ("instant" in titles):
        return "date"
    return "hour" if "hour" in titles and "instant" in titles else None


def believed(
    counts: Iterable[Count], *, places: Places, dates: Collection[date], bodies: Mapping[str, str]
) -> tuple[pl.DataFrame, list[RefusedCount]]:
    """``raw.visitors`` of ``dates``, and the counts of these dates, or of none, that break a rule.

    The store must be one that Sitoo lists. Of several counts for the same store, date and period the last one stands,
    and one that said otherwise is refused. An instant belongs to the date of the store's zone by the settings.

    Args:
        counts: in the order in which they were given.
        places: the account's stores and zones.
        dates: the business dates that are loaded.
        bodies: the landed body of each source.
    """
    known = set(places.stores["store_id"].drop_nulls())
    stand: dict[tuple[str, date, str], tuple[int, Count]] = {}
    refused: list[RefusedCount] = []
    for count in counts:
        day, period, fault = _judged(count, known, places)
        if day is not None and day not in dates:
            continue
        if day is None or fault is not None:
            refused.append(_refused(count, day, fault or ("date", count.fields[0])))
            continue
        key, number = (count.store_id, day, period), int(float(count.visitors))
        before = stand.get(key)
        if before is not None and before[0] != number:
            refused.append(_refused(before[1], day, ("counted_again", before[1].fields[2])))
        stand[key] = number, count
    rows = [(*key, number, count.source, bodies[count.source]) for key, (number, count) in stand.items()]
    return fit(pl.DataFrame(rows, schema=raw.VISITORS.polars_schema, orient="row"), raw.VISITORS), refused


def _judged(count: Count, known: Collection[str], places: Places) -> tuple[date | None, str, Fault | None]:
    """The date and the period of a count as far as it tells them, and the first rule that it breaks."""
    _, of_period, of_number = count.fields
    store = count.store_id if isinstance(count.store_id, str) else ""
    instant = _instant(count.period)
    if instant is None:
        day, period = _date(count.day), _period(count.period)
    else:
        day = instant.astimezone(ZoneInfo(places.timezone_of(store))).date()
        period = instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if day is None or count.broken:
        return day, "", count.broken
    if store not in known:
        return day, "", ("store_unknown" if store else "store_missing", "store_id")
    if period is None:
        return day, "", ("hour_of_day", of_period)
    text = count.visitors if isinstance(count.visitors, str) else json.dumps(count.visitors)
    if not _WHOLE.fullmatch(text):
        return day, period, ("whole_number", of_number)
    return day, period, ("not_negative", of_number) if float(text) < 0 else None


def _date(value: Any) -> date | None:
    if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
        with suppress(ValueError):
            return date.fromisoformat(value)
    return None


def _instant(value: Any) -> datetime | None:
    """An instant with its offset from UTC, as ISO 8601 has it; None for anything else."""
    if isinstance(value, str) and re.match(r"\d{4}-\d\d-\d\d[T ]", value):
        with suppress(ValueError):
            found = datetime.fromisoformat(value)
            return found if found.tzinfo else None
    return None


def _period(value: Any) -> str | None:
    """A time of the store's clock as HH:MM, the whole day for None; None for anything else."""
    if value is None:
        return WHOLE_DAY
    found = _CLOCK.fullmatch(str(value))
    return f"{int(found[1]):02}:{found[2] or '00'}" if found else None


def _refused(count: Count, day: date | None, fault: Fault) -> RefusedCount:
    given = {"line": count.where, "text": count.given} if isinstance(count.given, str) else count.given
    return RefusedCount(day, *fault, count.source, count.where, json.dumps(given, ensure_ascii=False, sort_keys=True))
