"""From a table of the file, or from the environment, to the values of one account and the words to speak of them.

Nothing is validated here but what pydantic cannot see: keys that nobody knows and variables that hold nothing. Every
key that was looked at is remembered with the name that the user knows it by, so that `explain` can speak of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from pydantic.fields import FieldInfo

from sitoo_pipeline.settings.account import Account
from sitoo_pipeline.settings.errors import Fault
from sitoo_pipeline.settings.section import (
    FileSecret,
    Secret,
    Section,
    file_keys,
    is_dictionary,
    section_of,
    variable_of,
)

Location = tuple[int | str, ...]
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
# Names of capital letters only: a secret put where the name of its variable belongs is then recognised, and not shown.
_VARIABLE_NAME = re.compile(r"[A-Z_][A-Z0-9_]*")


@dataclass(frozen=True)
class Key:
    """What the user calls a setting (`label`), how it is written when it is missing, and whether it may be shown."""

    label: str
    if_missing: str
    secret: bool = False
    variable: str = ""


@dataclass
class Reading:
    """One account as it was read, before it is validated. Locations are those of the model `Account`."""

    values: dict[str, Any] = field(default_factory=dict)
    keys: dict[Location, Key] = field(default_factory=dict)
    faults: dict[Location, Fault] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)


def dotted(*parts: int | str) -> str:
    """A key path as TOML writes it: parts with dots or spaces in them in quotes."""
    return ".".join(str(part) if _BARE_KEY.fullmatch(str(part)) else f'"{part}"' for part in parts)


def unknown_key(path: str, key: str, known: list[str]) -> Fault:
    """The fault of a key that nobody knows, with the one that may have been meant."""
    close = get_close_matches(key, known, n=1)
    right = f"did you mean {close[0]}?" if close else f"known here: {', '.join(known)}"
    return Fault(path=path, message=f"is not a setting; {right}")


def read_table(table: Mapping[str, Any], *, name: str, environ: Mapping[str, str]) -> Reading:
    """Read `[accounts.<name>]` of the file, with the variables that its `_env` keys name."""
    reading = Reading()
    reading.keys[("name",)] = Key(dotted("accounts", name), "")
    reading.values = _read_section(table, Account, (), ("accounts", name), environ, reading)
    return reading


def _read_section(
    table: Mapping[str, Any],
    section: type[Section],
    at: Location,
    path: Location,
    environ: Mapping[str, str],
    reading: Reading,
) -> dict[str, Any]:
    known = file_keys(section)
    for key, (name, definition) in known.items():
        reading.keys[(*at, name)] = _key_in_file(dotted(*path, key), key, definition)
    values: dict[str, Any] = {}
    for key, value in table.items():
        label = dotted(*path, key)
        if key not in known:
            in_environment = f"{key}_env" in known
            fault = _misplaced_secret(label, key) if in_environment else unknown_key(label, key, list(known))
            reading.faults[(*at, key)] = fault
            continue
        name, definition = known[key]
        here = (*at, name)
        inner = section_of(definition)
        if isinstance(variable_of(definition), Secret):
            secret = _from_variable(value, label, here, environ, reading)
            if secret is not None:
                values[name] = secret
        elif inner and isinstance(value, Mapping) and is_dictionary(definition):
            values[name] = {
                each: _read_section(content, inner, (*here, each), (*path, key, each), environ, reading)
                if isinstance(content, Mapping)
                else content
                for each, content in value.items()
            }
        elif inner and isinstance(value, Mapping):
            values[name] = _read_section(value, inner, here, (*path, key), environ, reading)
        else:
            values[name] = value
    return values


def _key_in_file(label: str, key: str, definition: FieldInfo) -> Key:
    variable = variable_of(definition)
    secret = isinstance(variable, Secret)
    example = variable.name if variable and secret else next(iter(definition.examples or ()), None)
    return Key(label, f'is missing; write for example {key} = "{example}"', secret)


def _misplaced_secret(label: str, key: str) -> Fault:
    message = f"must not be in the file; put it in an environment variable and name that with {key}_env"
    return Fault(path=label, message=message)


def _from_variable(name: object, label: str, at: Location, environ: Mapping[str, str], reading: Reading) -> str | None:
    """The content of the variable that an `_env` key names, or None and a fault."""
    if not isinstance(name, str) or not _VARIABLE_NAME.fullmatch(name):
        message = (
            "must be the name of an environment variable, in capital letters, digits and underscores; "
            "the value itself belongs in that variable"
        )
    elif not environ.get(name, "").strip():
        state = "is set, but empty" if name in environ else "is not set"
        message = f"the environment variable {name} {state}; give it a value there or in .env"
    else:
        key = reading.keys[at]
        reading.keys[at] = Key(key.label, key.if_missing, key.secret, variable=name)
        return environ[name].strip()
    reading.faults[at] = Fault(path=label, message=message)
    return None


def read_variables(environ: Mapping[str, str]) -> Reading:
    """Read the one account that the environment alone describes. An empty variable counts as absent."""
    reading = Reading()
    reading.values = {"name": "sitoo"} | _read_variables_of(Account, (), environ, reading)
    return reading


def _read_variables_of(
    section: type[Section], at: Location, environ: Mapping[str, str], reading: Reading
) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for name, definition in section.model_fields.items():
        here = (*at, name)
        variable = variable_of(definition)
        inner = section_of(definition)
        if variable and not isinstance(variable, FileSecret):
            example = next(iter(definition.examples or ()), None)
            hint = (
                "put it in the environment or in .env" if example is None else f"for example {variable.name}={example}"
            )
            reading.keys[here] = Key(variable.name, f"is not set; {hint}", isinstance(variable, Secret))
            if environ.get(variable.name, "").strip():
                value = environ[variable.name]
                values[name] = value.strip() if isinstance(variable, Secret) else value
        elif inner and not is_dictionary(definition):
            content = _read_variables_of(inner, here, environ, reading)
            # What is off by default is switched on by any setting that it cannot do without, or by any where all are
            # optional.
            needed = [each for each, of in inner.model_fields.items() if of.is_required()]
            if not content:
                continue
            if definition.default is not None or not needed or any(each in content for each in needed):
                values[name] = content
            else:
                idle = ", ".join(reading.keys[(*here, each)].label for each in content)
                switch = " and ".join(reading.keys[(*here, each)].label for each in needed)
                reading.warnings.append(f"{idle}: has no effect, {name} is off; {switch} would switch it on")
    return values
