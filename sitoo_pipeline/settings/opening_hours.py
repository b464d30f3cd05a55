"""When a store is open, as a line of text: a small part of the notation that OpenStreetMap uses for it.

``24/7``, or rules with ``;`` between them, each with days and times: ``Mo-Fr 10:00-20:00; Sa 10:00-18:00; Su off``.
A rule without days is for every day, a later rule replaces an earlier one for its days, and a day that no rule names
is closed. What does not belong here: what is done with an hour that a store is not open in.
"""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

Week = tuple[frozenset[int], ...]
"""The hours (0 to 23) of each day, Monday first. An hour counts from its first open minute on."""

ALWAYS = "24/7"

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_DAY = f"(?:{'|'.join(_DAYS)})"
_SPAN = r"\d\d:\d\d-\d\d:\d\d"
_RULE = re.compile(rf"(?:(?P<days>{_DAY}(?:-{_DAY})?(?:,{_DAY}(?:-{_DAY})?)*) )?(?P<times>off|{_SPAN}(?:,{_SPAN})*)")


def open_hours(text: str) -> Week:
    """The hours of each day of the week.

    Raises:
        ValueError: with the rest of a sentence that begins with the setting.
    """
    if text == ALWAYS:
        return (frozenset(range(24)),) * 7
    week = [frozenset[int]()] * 7
    for rule in text.split(";"):
        found = _RULE.fullmatch(rule.strip())
        if not found:
            raise ValueError(
                f"{text!r} is not understood; write it as 10:00-20:00, or Mo-Fr 10:00-20:00; Sa 10:00-18:00, or 24/7"
            )
        hours = frozenset[int]().union(*(_hours(span) for span in found["times"].split(",") if span != "off"))
        for day in _days(found["days"]):
            week[day] = hours
    return tuple(week)


def _days(text: str | None) -> set[int]:
    days: set[int] = set()
    for part in text.split(",") if text else ["Mo-Su"]:
        first, _, last = part.partition("-")
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        days |= {day % 7 for day in range(start, end + 1 if start <= end else end + 8)}  # Sa-Mo goes round
    return days


def _hours(span: str) -> range:
    (first, first_minute), (last, last_minute) = (map(int, time.split(":")) for time in span.split("-"))
    start, end = first * 60 + first_minute, last * 60 + last_minute
    if max(first_minute, last_minute) > 59 or not start < end <= 24 * 60:
        raise ValueError(f"{span!r} must be two times of one day, the earlier one first; 24:00 is the day's end")
    return range(first, (end + 59) // 60)


def _checked(text: str) -> str:
    open_hours(text)
    return text


OpeningHours = Annotated[str, AfterValidator(_checked)]
