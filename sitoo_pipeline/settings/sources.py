"""Where settings come from: the environment with `.env`, and the file. Finds and parses; knows no setting."""

from __future__ import annotations

import io
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv.parser import parse_stream

from sitoo_pipeline.settings.errors import Fault

CONFIG_VARIABLE = "SITOO_PIPELINE_CONFIG"
CONFIG_NAME = "sitoo_pipeline.toml"


def read_environment(*, cwd: Path, environ: Mapping[str, str] | None) -> tuple[dict[str, str], list[Fault]]:
    """The real environment over the `.env` file in `cwd`, and what is wrong with that file.

    Values are taken as they stand, with no `${NAME}` filled in: a password may hold any character.
    """
    real = dict(os.environ if environ is None else environ)
    path = cwd / ".env"
    if not path.is_file():
        return real, []
    text, fault = _text(path, label=".env")
    faults = [fault] if fault else []
    values: dict[str, str] = {}
    for line in parse_stream(io.StringIO(text)):
        if line.error:
            message = "is no NAME=value; put a value with spaces or quotes in it between quotes"
            faults.append(Fault(path=f".env line {line.original.line}", message=message))
        elif line.key is not None and line.value is not None:
            values[line.key] = line.value
    return values | real, faults


def find_file(*, cwd: Path, environ: Mapping[str, str]) -> Path | None:
    """The settings file: the one that is named, which need not exist, else the one in `cwd` if there is one."""
    named = environ.get(CONFIG_VARIABLE, "").strip()
    if named:
        return path_below(cwd, named)
    usual = cwd / CONFIG_NAME
    return usual if usual.exists() else None


def path_below(cwd: Path, text: str) -> Path:
    """The path that a setting means: absolute, in a home folder (`~`), or relative to the working directory."""
    try:
        return cwd / Path(text).expanduser()
    except RuntimeError:  # `~name` of a user whom this machine does not know is an ordinary name.
        return cwd / text


def parse_file(path: Path, *, named_by_variable: bool) -> tuple[dict[str, Any], Fault | None]:
    """The tables of a settings file, or nothing and why."""
    if not path.is_file():
        missing = f"{path} is not a file; name a settings file, or unset the variable to use {CONFIG_NAME}"
        if named_by_variable:
            return {}, Fault(path=CONFIG_VARIABLE, message=missing)
        return {}, Fault(path=CONFIG_NAME, message="is not a file")
    text, fault = _text(path, label=path.name)
    if fault:
        return {}, fault
    try:
        return tomllib.loads(text), None
    except tomllib.TOMLDecodeError as error:
        return {}, Fault(path=path.name, message=f"is not valid TOML: {error}")


def _text(path: Path, *, label: str) -> tuple[str, Fault | None]:
    try:
        # Editors on Windows put a byte order mark first, which neither parser takes.
        return path.read_text(encoding="utf-8-sig"), None
    except OSError as error:
        return "", Fault(path=label, message=f"cannot be read: {error.strerror}")
    except UnicodeDecodeError:
        return "", Fault(path=label, message="is not UTF-8 text; save it with that encoding")
