"""Vega-Lite charts drawn once to SVG that stands in the page: no script, no network, colours by the page's style.

A colour is a CSS variable, so that one picture serves light, dark and print. Each chart is drawn twice, for a laptop
and for a telephone, since text that shrinks with a picture cannot be read; the page shows the one that fits.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal
from typing import Any

import vl_convert
from markupsafe import Markup, escape

Spec = dict[str, Any]
Row = dict[str, Any]

_VERSION = "6.1"
LEVELS = 7
"""Steps of the heat map's colour; the page's style has a colour of the step and one of the text on it."""

_TEXT = {"labelColor": "var(--muted)", "titleColor": "var(--muted)", "labelFontSize": 11, "titleFontSize": 11}
_CONFIG: Spec = {
    "aria": False,  # the picture as a whole has a text, and the table below it has the figures
    "background": None,
    "font": "system-ui, sans-serif",
    "axis": {
        **_TEXT, "gridColor": "var(--line)", "domainColor": "var(--line)", "tickColor": "var(--line)",
        "titleFontWeight": "normal", "labelFontWeight": "normal",
    },
    "header": {**_TEXT, "labelColor": "var(--ink)", "labelFontWeight": 600, "labelAnchor": "start", "title": None},
    "legend": {**_TEXT, "orient": "top", "columnPadding": 22, "gradientStrokeColor": "var(--line)"},
    "view": {"stroke": None},
    "text": {"fontSize": 11},
}  # fmt: skip


@dataclass(frozen=True)
class Size:
    """What a chart is drawn for: pixels of the page that it can have."""

    width: int
    is_narrow: bool


WIDE = Size(860, is_narrow=False)
NARROW = Size(330, is_narrow=True)


@dataclass(frozen=True)
class Picture:
    """A chart in both sizes, as SVG."""

    wide: Markup
    narrow: Markup


def draw(chart: Callable[[Size], Spec], *, label: str) -> Picture:
    """Both sizes of a chart; ``label`` is what somebody is told who does not see it."""
    return Picture(*(_svg(chart(size), label) for size in (WIDE, NARROW)))


def _svg(spec: Spec, label: str) -> Markup:
    # Text is measured with the fonts of this machine and shown with the reader's: both sides keep some room.
    spec = {"config": _CONFIG, "padding": {"left": 26, "right": 12, "top": 4, "bottom": 4}, **spec}
    drawn: str = vl_convert.vegalite_to_svg(spec, vl_version=_VERSION, allowed_base_urls=[])
    drawn = re.sub(r"\d+\.\d{3,}", lambda found: f"{float(found[0]):.2f}", drawn)
    # Its ids go on counting from picture to picture: the same picture would differ, and two could share one.
    own = f"p{zlib.crc32(repr((label, spec)).encode()):08x}"
    first = min(map(int, re.findall(r'id="clip(\d+)"', drawn)), default=0)
    drawn = re.sub(r"\bclip(\d+)\b", lambda found: f"{own}-{int(found[1]) - first}", drawn)
    tag = re.match(r"<svg [^>]*?(viewBox=\"0 0 ([\d.]+) [\d.]+\")[^>]*>", drawn)
    assert tag
    head = f'<svg {tag[1]} role="img" aria-label="{escape(label)}" style="max-width:{tag[2]}px">'
    return Markup(head + drawn[tag.end() :])  # noqa: S704  (made here, and Vega escapes the texts in it)


def steps(values: Iterable[Decimal]) -> list[Decimal]:
    """The bounds between the heat map's colours: round numbers, the last step reached by the greatest value."""
    greatest = max(values, default=Decimal())
    if greatest <= 0:
        return [Decimal(number) for number in range(1, LEVELS)]
    exact = greatest / LEVELS
    unit = Decimal(1).scaleb(exact.adjusted() - 1)
    step = (exact / unit).to_integral_value(ROUND_CEILING) * unit
    return [step * number for number in range(1, LEVELS)]


def heat_map(
    rows: Sequence[Row], hours: Sequence[str], bounds: Sequence[Decimal], *, title: str
) -> Callable[[Size], Spec]:
    """A cell per ``place`` and ``hour``: its colour by ``value``, its text ``said`` where there is room for it."""

    def chart(size: Size) -> Spec:
        cell = (size.width - (110 if size.is_narrow else 230)) / len(hours)
        scale = {"type": "threshold", "domain": [float(bound) for bound in bounds]}
        base = {
            "x": {"field": "hour", "type": "ordinal", "scale": {"domain": list(hours)},
                  "title": "hour of the day, from",
                  "axis": {"labelAngle": 0, "domain": False, "ticks": False, "labelOverlap": True}},
            "y": {"field": "short" if size.is_narrow else "place", "type": "nominal", "title": None, "sort": None,
                  "axis": {"domain": False, "ticks": False, "labelLimit": 200, "labelColor": "var(--ink)"}},
        }  # fmt: skip
        colour = {
            "field": "value", "type": "quantitative",
            "scale": {**scale, "range": [f"var(--h{level})" for level in range(LEVELS)]},
            "legend": {"title": title, "format": "~s", "titleLimit": size.width, "titleFontWeight": "normal",
                       "labelOverlap": False, "gradientLength": size.width - 60 if size.is_narrow else 420},
        }  # fmt: skip
        layers: list[Spec] = [{
            "mark": {"type": "rect", "stroke": "var(--paper)", "strokeWidth": 1.5, "cornerRadius": 2},
            "encoding": {**base, "color": colour},
        }]  # fmt: skip
        if cell >= 25:
            on = {"field": "value", "type": "quantitative", "legend": None,
                  "scale": {**scale, "range": [f"var(--on{level})" for level in range(LEVELS)]}}  # fmt: skip
            layers.append({
                "mark": {"type": "text", "fontSize": 9 if cell < 36 else 10.5},
                "encoding": {**base, "text": {"field": "said", "type": "nominal"}, "color": on},
            })  # fmt: skip
        return {
            "data": {"values": list(rows)}, "width": {"step": cell}, "height": {"step": 26}, "layer": layers,
            "resolve": {"scale": {"color": "independent"}},
        }  # fmt: skip

    return chart


_NUMBERS = {"format": "~s", "labelExpr": "datum.value == 0 ? '0' : datum.label", "domain": False, "ticks": False}

_SERIES = ("this period", "a week before")


def _series() -> Spec:
    legend = {"title": None, "symbolType": "stroke", "symbolSize": 500, "symbolStrokeWidth": 2}
    return {
        "color": {"field": "series", "type": "nominal", "legend": legend,
                  "scale": {"domain": list(_SERIES), "range": ["var(--now)", "var(--before)"]}},
        "strokeDash": {"field": "series", "type": "nominal", "legend": legend,
                       "scale": {"domain": list(_SERIES), "range": [[1, 0], [5, 4]]}},
    }  # fmt: skip


def small_lines(rows: Sequence[Row]) -> Callable[[Size], Spec]:
    """A small chart per ``place``: ``value`` over ``hour``, this period and the week before (``series``)."""

    def chart(size: Size) -> Spec:
        columns, name = (2, "short") if size.is_narrow else (3, "place")
        return {
            "data": {"values": list(rows)},
            "facet": {"field": name, "type": "nominal", "sort": list(dict.fromkeys(row[name] for row in rows)),
                      "header": {"labelLimit": size.width / columns - 24}},
            "columns": columns, "spacing": {"row": 14, "column": 12},
            "spec": {
                "width": size.width / columns - 50, "height": 90,
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {
                    "x": {"field": "hour", "type": "quantitative", "title": None,
                          "axis": {"grid": False, "tickMinStep": 1, "tickCount": 5, "format": "02d"},
                          "scale": {"nice": False, "zero": False}},
                    "y": {"field": "value", "type": "quantitative", "title": None,
                          "axis": {**_NUMBERS, "tickCount": 3, "minExtent": 32, "maxExtent": 32}},
                    **_series(),
                },
            },
            "resolve": {"scale": {"y": "independent"}, "axis": {"x": "independent"}},
        }  # fmt: skip

    return chart


def week_lines(rows: Sequence[Row], *, title: str) -> Callable[[Size], Spec]:
    """``value`` over ``day``, beside that of the same weekday a week before (``series``)."""

    def chart(size: Size) -> Spec:
        return {
            "data": {"values": list(rows)}, "width": size.width - 65, "height": 220 if not size.is_narrow else 180,
            "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 28, "filled": True}},
            "encoding": {
                "x": {"field": "day", "type": "temporal", "title": None,
                      "axis": {"format": "%a %d %b", "grid": False, "labelAngle": 0, "labelOverlap": True,
                               "tickCount": {"interval": "day", "step": 1}}},
                "y": {"field": "value", "type": "quantitative", "title": title,
                      "axis": {**_NUMBERS, "tickCount": 5}},
                **_series(),
            },
        }  # fmt: skip

    return chart


def shares(rows: Sequence[Row], measures: Sequence[str]) -> Callable[[Size], Spec]:
    """A bar per ``place`` for each of ``measures`` (two), ``value`` in percent and as text (``said``)."""

    def panel(size: Size, measure: str, *, has_labels: bool) -> Spec:
        base = {
            "y": {"field": "short" if size.is_narrow else "place", "type": "nominal", "title": None, "sort": None,
                  "axis": {"domain": False, "ticks": False, "labelLimit": 200, "labels": has_labels,
                           "labelColor": "var(--ink)"}},
            "x": {"field": "value", "type": "quantitative", "title": measure,
                  "axis": {"grid": True, "tickCount": 4, "domain": False, "ticks": False,
                           "labelExpr": "datum.label + ' %'"}},
        }  # fmt: skip
        width = size.width - 130 if size.is_narrow else (size.width - 250) / 2
        return {
            "transform": [{"filter": f"datum.measure === '{measure}'"}],
            "width": width, "height": {"step": 24},
            "layer": [
                {"mark": {"type": "bar", "color": "var(--now)", "cornerRadiusEnd": 2, "height": 14}, "encoding": base},
                {"mark": {"type": "text", "align": "left", "dx": 4, "color": "var(--ink)"},
                 "encoding": {**base, "text": {"field": "said", "type": "nominal"}}},
            ],
        }  # fmt: skip

    def chart(size: Size) -> Spec:
        panels = [panel(size, one, has_labels=size.is_narrow or not at) for at, one in enumerate(measures)]
        return {"data": {"values": list(rows)}, "vconcat" if size.is_narrow else "hconcat": panels, "spacing": 22}

    return chart


def stacked(
    rows: Sequence[Row], colours: dict[str, str], *, along: str, title: str, by_date: bool = False
) -> Callable[[Size], Spec]:
    """A bar per ``along``, its parts (``part``) as long as their ``value`` and named in a legend, in order.

    By date the bars stand, otherwise they lie and each is 100 %.
    """
    order = list(colours)

    def chart(size: Size) -> Spec:
        values = [{**row, "at": order.index(row["part"])} for row in rows]
        colour = {"field": "part", "type": "nominal",
                  "scale": {"domain": order, "range": list(colours.values())},
                  "legend": {"title": None, "symbolType": "square", "columns": 2 if size.is_narrow else 0}}  # fmt: skip
        bar = {"type": "bar", "stroke": "var(--paper)", "strokeWidth": 1}
        shared = {"color": colour, "order": {"field": "at", "type": "quantitative"}}
        if by_date:
            return {
                "data": {"values": values}, "width": size.width - 60, "height": 150, "mark": bar,
                "encoding": {
                    "x": {"field": along, "type": "ordinal", "title": None, "sort": None,
                          "scale": {"paddingInner": 0.25},
                          "axis": {"grid": False, "ticks": False, "labelAngle": 0, "labelOverlap": True,
                                   "labelSeparation": 8}},
                    "y": {"field": "value", "type": "quantitative", "title": title,
                          "axis": {"tickMinStep": 1, "tickCount": 4, "domain": False, "ticks": False}},
                    **shared,
                },
            }  # fmt: skip
        return {
            "data": {"values": values}, "width": size.width - 190, "height": {"step": 28}, "mark": bar,
            "encoding": {
                "y": {"field": along, "type": "nominal", "title": None, "sort": None,
                      "axis": {"domain": False, "ticks": False, "labelLimit": 170, "labelColor": "var(--ink)"}},
                "x": {"field": "value", "type": "quantitative", "stack": "normalize", "title": title,
                      "axis": {"format": "%", "tickCount": 4, "domain": False, "ticks": False}},
                **shared,
            },
        }  # fmt: skip

    return chart
