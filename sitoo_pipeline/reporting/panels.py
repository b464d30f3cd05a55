"""One small chart per place as a single SVG: bars of what is, a dashed line of what was a week before.

For pictures that are drawn by the hundred and kept in Dagster's history: less than a millisecond and a few kilobytes
each, where Vega-Lite takes two hundred times as long. It is shown as an image, so its colours follow what the reader's
browser prefers, on a ground of its own that can be read in either theme.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from sitoo_pipeline.reporting.wording import change, whole

_COLUMNS, _PLOT_WIDTH, _PLOT_HEIGHT, _GAP, _TOP = 3, 268, 62, 24, 33
_MARGIN, _HEAD, _PANEL_HEIGHT = 14, 58, 128
_NAME_LENGTH, _LABELS = 34, 8

Values = Sequence[Decimal | None]


@dataclass(frozen=True)
class Panel:
    """The chart of one place: a value per label, None where there is none (not loaded)."""

    name: str
    currency: str
    now: Values
    before: Values


def draw_panels(title: str, panels: Sequence[Panel], labels: Sequence[str], *, now: str, before: str) -> str:
    """The SVG, the same for the same figures.

    Args:
        title: What is shown, above all.
        panels: The charts in order, each with as many values as there are labels.
        labels: What stands below a chart, a few of them where there are many.
        now: What the bars are.
        before: What the line is.
    """
    rows = -(-len(panels) // _COLUMNS)
    return _template().render(
        title=title,
        now=now,
        before=before,
        width=2 * _MARGIN + _COLUMNS * (_PLOT_WIDTH + _GAP) - _GAP,
        height=_HEAD + rows * _PANEL_HEIGHT,
        plot_width=_PLOT_WIDTH,
        plot_height=_PLOT_HEIGHT,
        top=_TOP,
        panels=[_placed(panel, at, labels) for at, panel in enumerate(panels)],
    )


@cache
def _template() -> Template:
    folder = Path(__file__).parent
    environment = Environment(
        loader=FileSystemLoader(folder), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    return environment.get_template("panels.svg.jinja")


def _placed(panel: Panel, at: int, labels: Sequence[str]) -> dict[str, object]:
    step = _PLOT_WIDTH / len(labels)
    greatest = max((value for value in (*panel.now, *panel.before) if value is not None), default=Decimal())
    every = -(-len(labels) // _LABELS)
    return {
        "x": _MARGIN + (at % _COLUMNS) * (_PLOT_WIDTH + _GAP),
        "y": _HEAD + (at // _COLUMNS) * _PANEL_HEIGHT,
        "name": panel.name if len(panel.name) <= _NAME_LENGTH else f"{panel.name[: _NAME_LENGTH - 1]}…",
        "says": _says(panel),
        "greatest": f"top {whole(greatest)}",
        "bars": "".join(
            f"M{number * step + 1:.0f} {_y(value, greatest)}h{step - 2:.0f}V{_TOP + _PLOT_HEIGHT}h-{step - 2:.0f}z"
            for number, value in enumerate(panel.now)
            if value
        ),
        "line": _line(panel.before, greatest, step),
        "labels": [
            {"x": f"{(number + 0.5) * step:.0f}", "text": text}
            for number, text in enumerate(labels)
            if not number % every
        ],
    }


def _says(panel: Panel) -> str:
    """``227 634 SEK, +12.4 %``: the sum, and where both are there whole, how much more that is than before."""
    total, was = (sum((value or Decimal() for value in values), Decimal()) for values in (panel.now, panel.before))
    said = f"{whole(total)} {panel.currency}"
    return said if None in (*panel.now, *panel.before) else f"{said}, {change(total, was)}"


def _line(values: Values, greatest: Decimal, step: float) -> str:
    """A path through the values, broken where one is absent."""
    path, pen = [], "M"
    for number, value in enumerate(values):
        if value is None:
            pen = "M"
            continue
        path.append(f"{pen}{(number + 0.5) * step:.0f} {_y(value, greatest)}")
        pen = "L"
    return "".join(path)


def _y(value: Decimal, greatest: Decimal) -> str:
    share = float(max(value, Decimal()) / greatest) if greatest > 0 else 0.0
    return f"{_TOP + _PLOT_HEIGHT * (1 - share):.0f}"
