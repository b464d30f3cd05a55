"""Query parameters as Sitoo reads them: defaults, comma lists, the last of repeated ones; unknown ones are ignored."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import parse_qsl

from sitoo_pipeline.sandbox.listing import Page

DEFAULT_NUM, LARGEST_NUM = 10, 1000


class BadRequestError(Exception):
    """A parameter has a value that Sitoo refuses with 400."""


class NotFoundError(Exception):
    """There is nothing at this address."""


class Query:
    """The parameters of one request."""

    def __init__(self, query_string: str) -> None:
        self._values: dict[str, str] = {}
        for name, value in parse_qsl(query_string, keep_blank_values=True):
            if name.endswith("[]"):
                name = name.removesuffix("[]")
                value = f"{self._values[name]},{value}" if name in self._values else value
            self._values[name] = value

    def text(self, name: str) -> str | None:
        """The parameter as text, None where it is absent or empty."""
        return self._values.get(name) or None

    def texts(self, name: str) -> frozenset[str] | None:
        """A comma list, None where it is absent or empty."""
        text = self.text(name)
        return None if text is None else frozenset(part.strip() for part in text.split(","))

    def integer(self, name: str) -> int | None:
        """The parameter as an integer, None where it is absent or empty.

        Raises:
            BadRequestError: it is something else.
        """
        text = self.text(name)
        return None if text is None else _integer(text, name)

    def integers(self, name: str) -> frozenset[int] | None:
        """A comma list of integers, None where it is absent or empty.

        Raises:
            BadRequestError: one of them is something else.
        """
        texts = self.texts(name)
        return None if texts is None else frozenset(_integer(text, name) for text in texts)

    def page(self, *, sort_key: str = "") -> Page:
        """``start``, ``num`` (at most 1000) and ``sort``: newest first unless it is exactly ``sort_key``.

        Raises:
            BadRequestError: ``start`` or ``num`` is negative or no integer.
        """
        start, num = self.integer("start"), self.integer("num")
        if (start or 0) < 0 or (num or 0) < 0:
            raise BadRequestError("Invalid value")
        return Page(
            start=start or 0,
            num=DEFAULT_NUM if num is None else min(num, LARGEST_NUM),
            descending=not sort_key or self.text("sort") != sort_key,
        )

    def fields(self, default: Iterable[str]) -> tuple[str, ...]:
        """The fields asked for, else ``default``."""
        text = self.text("fields")
        return tuple(default) if text is None else tuple(part.strip() for part in text.split(","))


def pick(item: dict[str, object], fields: tuple[str, ...]) -> dict[str, object]:
    """The chosen fields of an object, in the object's own order; an empty choice means all of them."""
    chosen = set(fields)
    return {name: value for name, value in item.items() if name in chosen} if chosen else item


def _integer(text: str, name: str) -> int:
    if not re.fullmatch(r"[+-]?[0-9]{1,18}", text):
        raise BadRequestError(f"Invalid value in {name}")
    return int(text)
