"""The stages in which dates are run, and who is told of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date

STAGES = ("extract", "transform", "deliver")
"""The stages that work on dates, in their order. ``reference`` comes before them and ``publish`` after."""

Progress = Callable[[str, Sequence[date]], None]
"""Is told the stage and the dates that are now worked on."""
