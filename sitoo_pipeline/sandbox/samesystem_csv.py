"""SameSystem's import of hourly figures from a text file.

Documented: the twelve columns, hours as ``10:00:00``, registers as small numbers, one set of separators for the whole
file, and that nothing may be empty. Assumed, as the stricter of what is possible: a header row; a file with one wrong
row is refused whole; a day in the file replaces all hours of that register and day; a department with several registers
needs the register.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from sitoo_pipeline.sandbox.samesystem_departments import Department
from sitoo_pipeline.sandbox.samesystem_saving import RefusedError
from sitoo_pipeline.sandbox.samesystem_state import Key, State

MEASURES = (
    "Net Sales",
    "Gross Sales",
    "Discounts",
    "Returns",
    "Transactions",
    "Number of goods sold",
    "Number of returned goods",
    "Visitors",
)
_KEYS = ("Department Id", "Register Id", "Date", "Hour")

Hour = dict[str, Decimal]
Hours = dict[Key, dict[int, Hour]]


@dataclass(frozen=True)
class Layout:
    """How the client's files are written; the defaults are those of the vendor's sample."""

    column_separator: str = ";"
    decimal_mark: str = ","
    thousands_mark: str = "."
    date_format: str = "%Y-%m-%d"


def read_hours(content: bytes, state: State, layout: Layout | None = None) -> Hours:
    """The figures in a file, by register and day and then by hour.

    Raises:
        RefusedError: the file cannot be taken; every wrong row is named, with its line.
    """
    layout = layout or Layout()
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise RefusedError("the file is not UTF-8") from error
    rows = csv.reader(text.splitlines(), delimiter=layout.column_separator)
    header = next(rows, [])
    expected = [*_KEYS, *MEASURES]
    if header not in (expected, [name for name in expected if name != "Register Id"]):
        raise RefusedError(f"line 1: the columns must be {'; '.join(expected)}")
    hours: Hours = {}
    wrong: list[str] = []
    for number, row in enumerate(rows, start=2):
        try:
            if len(row) != len(header):
                raise ValueError(f"{len(row)} columns instead of {len(header)}")
            key, hour, figures = _row(row, state, layout)
            if hour in hours.setdefault(key, {}):
                raise ValueError(f"hour {hour} of {key.day} register {key.register} is there twice")
            hours[key][hour] = figures
        except ValueError as error:
            wrong.append(f"line {number}: {error}")
    if wrong:
        raise RefusedError("; ".join(wrong))
    return hours


def _row(row: list[str], state: State, layout: Layout) -> tuple[Key, int, Hour]:
    if "" in (text.strip() for text in row):
        raise ValueError("an empty value; send 0")
    values = iter(row)
    department = _department(state, next(values))
    register = next(values) if len(row) == len(_KEYS) + len(MEASURES) else None
    day = datetime.strptime(next(values), layout.date_format).date()  # noqa: DTZ007 -- a date, without a time
    key = Key(department.ctx_token, day, _register(register, department, day))
    hour = _hour(next(values))
    return key, hour, dict(_amounts(values, layout))


def _department(state: State, text: str) -> Department:
    try:
        return state.department(text)
    except KeyError:
        raise ValueError(f"no department {text!r}") from None


def _register(text: str | None, department: Department, day: date) -> int:
    registers = department.registers(day)
    if text is None and len(registers) == 1:
        return 1
    if text is None or not text.isdecimal() or int(text) not in registers:
        raise ValueError(f"register {text!r} of department {department.dpt_no}; there are 1 to {len(registers)}")
    return int(text)


def _hour(text: str) -> int:
    match = re.fullmatch(r"([01]\d|2[0-3]):00:00", text)
    if match is None:
        raise ValueError(f"{text!r} is not an hour like 10:00:00")
    return int(match[1])


def _amounts(values: Iterator[str], layout: Layout) -> Iterator[tuple[str, Decimal]]:
    thousands, mark = re.escape(layout.thousands_mark), re.escape(layout.decimal_mark)
    grouped = rf"\d{{1,3}}(?:{thousands}\d{{3}})+|" if thousands else ""
    number = re.compile(rf"-?(?:{grouped}\d+)(?:{mark}\d+)?")
    for name, text in zip(MEASURES, values, strict=True):
        if not number.fullmatch(text):
            raise ValueError(f"{name} {text!r} is not a number with {layout.decimal_mark!r} before its decimals")
        plain = text.replace(layout.thousands_mark, "") if layout.thousands_mark else text
        yield name, Decimal(plain.replace(layout.decimal_mark, "."))
