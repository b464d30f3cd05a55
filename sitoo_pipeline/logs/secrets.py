"""The secrets that settings hold, as the texts by which they would be recognised in a log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

_SHORTEST = 4
"""What is shorter would be found in every second line, and is no secret that anybody would use."""
_OF_THIS_MACHINE = "sqlite:///"


def secrets_of(settings: BaseModel) -> tuple[str, ...]:
    """Every secret below a model, the longest first: whole, and its parts (of a list, of a URL) by themselves.

    A database that is a file of this machine has an address, but no secret in it.
    """
    whole = {each.get_secret_value() for each in _below(settings)}
    secret = {text for text in whole if not text.startswith(_OF_THIS_MACHINE)}
    parts = {part for text in secret for part in (text, *(each.strip() for each in text.split(",")), *_of_url(text))}
    return tuple(sorted((part for part in parts if len(part) >= _SHORTEST), key=lambda part: (-len(part), part)))


def _below(value: object) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _below(getattr(value, name))
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _below(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _below(each)


def _of_url(text: str) -> Iterator[str]:
    """The password in a URL, as it stands there and as it is meant; the path and query of a secret web address."""
    try:
        parts = urlsplit(text)
    except ValueError:
        return
    if parts.password:
        yield parts.password
        yield unquote(parts.password)
    if parts.scheme in ("http", "https"):
        yield parts.path + (f"?{parts.query}" if parts.query else "")
