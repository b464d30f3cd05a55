"""Figures as people read them: a thin space between thousands, a dot before decimals, never a currency left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal

THIN = "\N{NARROW NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
NONE = "\N{EN DASH}"
"""What stands where there is no figure: a rate of nothing, a date that is not loaded."""


def money(amount: Decimal | None) -> str:
    """``12 345.60``, exact."""
    return NONE if amount is None else _grouped(f"{amount:,.2f}")


def whole(number: int | Decimal | None) -> str:
    """``12 345``."""
    return NONE if number is None else _grouped(f"{number:,.0f}")


def share(part: Decimal | int | None, of: Decimal | int | None) -> Decimal | None:
    """``part`` in percent of ``of``, to one decimal; None of nothing."""
    if part is None or not of:
        return None
    return (100 * Decimal(part) / Decimal(of)).quantize(Decimal("0.1"), ROUND_HALF_UP)


def percent(value: Decimal | None) -> str:
    """``12.3 %``."""
    return NONE if value is None else f"{_grouped(f'{value:,.1f}')}{THIN}%"


def ratio(part: Decimal | int | None, of: Decimal | int | None) -> str:
    """``part`` per ``of`` to two decimals: an average basket, goods per transaction."""
    if part is None or not of:
        return NONE
    return money((Decimal(part) / Decimal(of)).quantize(Decimal("0.01"), ROUND_HALF_UP))


def signed(amount: Decimal | int | None, *, places: int = 2) -> str:
    """With its sign: a difference."""
    if amount is None:
        return NONE
    rounded = round(Decimal(amount), places)
    return _grouped(f"{rounded:+,.{places}f}") if rounded else _grouped(f"{abs(rounded):,.{places}f}")


def change(now: Decimal | int | None, before: Decimal | int | None) -> str:
    """``+4.2 %``: how much more ``now`` is than ``before``."""
    if now is None or not before:
        return NONE
    return f"{signed(share(now - before, before), places=1)}{THIN}%"


def weekday(day: date) -> str:
    """``Sat 2026-11-14``."""
    return f"{day:%a} {day}"


def spans(dates: Sequence[date]) -> str:
    """``2026-03-01 to 2026-03-04, 2026-03-09``: dates that follow each other are one span."""
    pieces: list[list[date]] = []
    for day in sorted(dates):
        if pieces and day - pieces[-1][-1] == timedelta(days=1):
            pieces[-1][1:] = [day]
        else:
            pieces.append([day])
    return ", ".join(" to ".join(str(day) for day in piece) for piece in pieces)


def _grouped(text: str) -> str:
    return text.replace(",", THIN).replace("-", MINUS)
