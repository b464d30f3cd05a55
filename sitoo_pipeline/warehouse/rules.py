"""The rules that a value of Sitoo must keep to be loaded, per type: one pattern each, used by SQL and by Python alike.

Values are read as text and checked before they are cast, because casts round excess digits without a word. What is a
rule here is a fact of the API (money has two decimals, a timestamp is whole seconds), not what a figure means.

SQL decides for all objects at once; Python says of one object which rule it broke and where. The two give the same
verdict of any object.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from sitoo_pipeline.tables import types
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.types import DataType, FieldType, FreeMap, ObjectList, TextList


class Rule(NamedTuple):
    """A pattern that the text of a value must match, by name."""

    name: str
    pattern: str


RULES: dict[DataType, Rule] = {
    types.BIGINT: Rule("whole_number", r"[-+]?[0-9]{1,18}(\.0+)?"),
    types.INTEGER: Rule("whole_number", r"[-+]?[0-9]{1,9}(\.0+)?"),
    types.MONEY: Rule("money_two_decimals", r"[-+]?[0-9]{1,16}(\.[0-9]{1,2})?"),
    types.QUANTITY: Rule("quantity_three_decimals", r"[-+]?[0-9]{1,15}(\.[0-9]{1,3})?"),
    types.PERCENT: Rule("percent_four_decimals", r"[-+]?[0-9]{1,5}(\.[0-9]{1,4})?"),
    types.NUMBER: Rule("number", r"[-+]?[0-9]{1,30}(\.[0-9]{1,30})?(e[-+]?[0-9]{1,2})?"),
    types.INSTANT: Rule("unix_seconds", r"[0-9]{1,11}"),
    types.BOOLEAN: Rule("true_or_false", r"true|false"),
}


class Violation(NamedTuple):
    """A rule that an object broke, and the path of the field that broke it."""

    rule: str
    path: str


def broken(table: RawTable) -> str:
    """SQL over staged objects that is true where one breaks a rule of ``table``."""
    tests = [f"coalesce(\"{name}\", '') = ''" for name in table.required]
    tests += [sql for f in table.fields if (sql := _broken(f.type, f'"{f.name}"'))]
    return " OR ".join(tests)


def _broken(kind: FieldType, value: str) -> str | None:
    """SQL that is true where ``value``, SQL of a staged value, breaks the rule of its type; None without a rule."""
    if isinstance(kind, ObjectList):
        tests = ["x IS NULL", *(sql for name, nested in kind.fields if (sql := _broken(nested, f'x."{name}"')))]
        return f"coalesce(len(list_filter({value}, lambda x: {' OR '.join(tests)})) > 0, false)"
    if isinstance(kind, FreeMap):
        tests = [_not(RULES[types.MONEY], f"nullif({value}['{name}'], '')") for name in kind.money]
        return " OR ".join(tests) or None
    rule = RULES.get(kind)
    if rule is None:
        return None
    if kind in (types.MONEY, types.QUANTITY):
        # Nearly every value is written as it is printed; only the rest pays for the pattern.
        printed = f"CAST(TRY_CAST({value} AS {kind.sql}) AS VARCHAR) = {value}"
        return f"CASE WHEN {printed} THEN false ELSE {_not(rule, value)} END"
    return _not(rule, value)


def _not(rule: Rule, value: str) -> str:
    return f"coalesce(NOT regexp_full_match({value}, '{rule.pattern}'), false)"


def typed(table: RawTable) -> str:
    """The select list that gives the fields of staged objects their types: null for a value that has not kept its rule.

    What is null or rounded of an object that breaks a rule is of no matter: it is refused. ``TRY_CAST``, since such an
    object is met before it is.
    """
    return ", ".join(f'{_typed(f.type, f.name)} AS "{f.name}"' for f in table.fields)


def _typed(kind: FieldType, name: str) -> str:
    if kind is types.INSTANT:  # of as many digits as its rule allows, all of which are instants to DuckDB
        return f'to_timestamp(CAST(TRY_CAST("{name}" AS DECIMAL(11,0)) AS BIGINT))'
    return f'TRY_CAST("{name}" AS {kind.sql})'


def violations(table: RawTable, item: Any) -> list[Violation]:
    """Every rule that a decoded object breaks, what it must have first."""
    if not isinstance(item, dict):
        return [Violation("object", "")]
    found = [Violation(_missing(table, name), name) for name in table.required if item.get(name) in (None, "")]
    for field in table.fields:
        found += _violations(field.name, field.type, item.get(field.name))
    return found


def _missing(table: RawTable, name: str) -> str:
    if name in table.key:
        return "key_missing"
    return "date_missing" if name == table.clock else "place_missing"


def kept(table: RawTable, item: Any) -> dict[str, Any]:
    """The declared fields of a decoded object that keep their rules, in shapes that DuckDB can read."""
    return {
        f.name: _readable(f.type, item[f.name])
        for f in table.fields
        if isinstance(item, dict) and f.name in item and not any(_violations(f.name, f.type, item[f.name]))
    }


def _violations(path: str, kind: FieldType, value: Any) -> Iterator[Violation]:
    if value is None:
        return
    if isinstance(kind, ObjectList):
        yield from _object_violations(path, kind, value)
    elif isinstance(kind, FreeMap):
        yield from _map_violations(path, kind, value)
    elif isinstance(kind, TextList):
        if not isinstance(value, list):
            yield Violation("shape", path)
    elif rule := RULES.get(kind):
        if isinstance(value, dict | list):
            yield Violation("shape", path)
        elif not _keeps(rule, value):
            yield Violation(rule.name, path)


def _object_violations(path: str, kind: ObjectList, value: Any) -> Iterator[Violation]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        yield Violation("shape", path)
        return
    for entry in value:
        for name, nested in kind.fields:
            yield from _violations(f"{path}.{name}", nested, entry.get(name))


def _map_violations(path: str, kind: FreeMap, value: Any) -> Iterator[Violation]:
    if value == []:  # how some servers write an empty map
        return
    if not isinstance(value, dict):
        yield Violation("shape", path)
        return
    for name in kind.money:
        if value.get(name) not in (None, "") and not _keeps(RULES[types.MONEY], value[name]):
            yield Violation(RULES[types.MONEY].name, f"{path}.{name}")


def _keeps(rule: Rule, value: Any) -> bool:
    return re.fullmatch(rule.pattern, value if isinstance(value, str) else json.dumps(value)) is not None


def _readable(kind: FieldType, value: Any) -> Any:
    if isinstance(kind, FreeMap) and value == []:
        return {}
    if isinstance(kind, ObjectList) and value is not None:
        return [{name: _readable(nested, entry.get(name)) for name, nested in kind.fields} for entry in value]
    return value
