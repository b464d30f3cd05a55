"""The rules that a value of Sitoo must keep to be loaded, per type: one pattern each, used by SQL and by Python alike.

Values are read as text and checked before they are cast, because casts round excess digits without a word. What is a
rule here is a fact of the API (money has two decimals, a timestamp is whole seconds), not what a figure means.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sitoo_pipeline.tables import types
from sitoo_pipeline.tables.raw import RawTable
from sitoo_pipeline.tables.raw_fields import Field
from sitoo_pipeline.tables.types import DataType, FieldType, ObjectList


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
    types.INSTANT: Rule("unix_seconds", r"[0-9]{1,11}"),
    types.BOOLEAN: Rule("true_or_false", r"true|false"),
}

ROW_DISCOUNT = "orderitem-moneyrowdiscount"
"""The one key of a free map that enters a figure, so its value must be money like any other."""


class Violation(NamedTuple):
    """A rule that an object broke, and the path of the field that broke it."""

    rule: str
    path: str


def broken(kind: FieldType, value: str) -> str | None:
    """SQL that is true where ``value``, SQL of a staged value, breaks the rule of its type; None without a rule."""
    if isinstance(kind, ObjectList):
        inner = [sql for name, nested in kind.fields if (sql := broken(nested, f'x."{name}"'))]
        if any(name == "additionaldata" for name, _ in kind.fields):
            inner.append(_not(RULES[types.MONEY], f"nullif(x.additionaldata['{ROW_DISCOUNT}'], '')"))
        return f"len(list_filter({value}, lambda x: {' OR '.join(inner)})) > 0" if inner else None
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


def typed(kind: FieldType, value: str, *, lenient: bool = False) -> str:
    """SQL that casts a staged value which kept its rule; ``lenient`` gives null for one that did not."""
    cast = "TRY_CAST" if lenient else "CAST"
    if kind is types.INSTANT:
        return f"to_timestamp({cast}({value} AS BIGINT))"
    return f"{cast}({value} AS {kind.sql})" if kind.staged != kind.sql else value


def violations(table: RawTable, item: Any) -> list[Violation]:
    """Every rule that a decoded object breaks, shape first."""
    if not isinstance(item, dict):
        return [Violation("object", "")]
    found = [
        Violation("key_missing" if name in table.key else "date_missing", name)
        for name in (*table.key, *((table.clock,) if table.clock else ()))
        if item.get(name) in (None, "")
    ]
    for declared in table.fields:
        found += _field(declared.name, declared.type, item.get(declared.name))
    return found


def _field(path: str, kind: FieldType, value: Any) -> Iterator[Violation]:
    if value is None:
        return
    if isinstance(kind, ObjectList):
        yield from _objects(path, kind, value)
    elif isinstance(value, dict | list):
        if kind not in (types.FREE_MAP, types.TEXT_LIST) or isinstance(value, dict) != (kind is types.FREE_MAP):
            yield Violation("shape", path)
    elif kind in (types.FREE_MAP, types.TEXT_LIST):
        yield Violation("shape", path)
    elif (rule := RULES.get(kind)) and not re.fullmatch(rule.pattern, _text(value)):
        yield Violation(rule.name, path)


def _objects(path: str, kind: ObjectList, value: Any) -> Iterator[Violation]:
    if not isinstance(value, list) or not all(isinstance(entry, dict) for entry in value):
        yield Violation("shape", path)
        return
    for entry in value:
        for name, nested in kind.fields:
            yield from _field(f"{path}.{name}", nested, entry.get(name))
        extra = entry.get("additionaldata")
        amount = extra.get(ROW_DISCOUNT) if isinstance(extra, dict) else None
        if amount not in (None, "") and not re.fullmatch(RULES[types.MONEY].pattern, _text(amount)):
            yield Violation(RULES[types.MONEY].name, f"{path}.additionaldata.{ROW_DISCOUNT}")


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def fits(fields: Sequence[Field], item: Any) -> bool:
    """Whether the containers of a decoded object are what is declared, so that it can be staged at all."""
    return isinstance(item, dict) and all(_fits(f.type, item.get(f.name)) for f in fields)


def _fits(kind: FieldType, value: Any) -> bool:
    if value is None:
        return True
    if isinstance(kind, ObjectList):
        return isinstance(value, list) and all(
            isinstance(entry, dict) and all(_fits(nested, entry.get(name)) for name, nested in kind.fields)
            for entry in value
        )
    if kind is types.FREE_MAP:
        return isinstance(value, dict)
    return isinstance(value, list) if kind is types.TEXT_LIST else True
