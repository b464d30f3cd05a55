"""An answer's body: inflated, decoded and checked for the form that was asked for.

Sitoo answers a list with an envelope ``{"totalcount": n, "items": [...]}`` or, for a few resources, with a bare array.
A body in any other form is not an answer, whatever its status says. Which page follows which is in ``paging``.
"""

from __future__ import annotations

import gc
import gzip
import zlib
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Literal

import orjson


class _Uncollected:
    """No search for reference cycles while a block runs, in any thread.

    A page makes a hundred thousand objects, none of them in a cycle, and Python searches them all again and again while
    they come: with everything loaded that a run has, that takes as long as decoding them.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._inside = 0
        self._was_on = False

    def __enter__(self) -> None:
        with self._lock:
            if self._inside == 0:
                self._was_on = gc.isenabled()
                gc.disable()
            self._inside += 1

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._was_on:
                gc.enable()


_UNCOLLECTED = _Uncollected()

Expect = Literal["envelope", "array", "object"]
_GZIP = 31  # zlib's number for a gzip header and a window of 32 KB
_MOST_COMPRESSED = 1032  # deflate cannot make a text smaller than its length by this
_WANTED = {"envelope": "an object with a list of items", "array": "an array", "object": "an object"}


class UnusableBodyError(Exception):
    """A body that is not what was asked for.

    The text says what it is instead, without quoting it; ``said`` is what Sitoo says in it, not yet fit to be shown.
    """

    def __init__(self, what: str, *, said: str = "") -> None:
        super().__init__(what)
        self.said = said


@dataclass(frozen=True)
class Body:
    """One answer.

    Attributes:
        data: The body as gzip: the bytes as received, or compressed here where Sitoo sent it plain.
        document: The decoded JSON.
        tries: Requests that it took.
    """

    data: bytes = field(repr=False)
    document: Any = field(repr=False)
    tries: int = 1

    @property
    def items(self) -> list[Any]:
        """The records: an envelope's items, or the bare array itself."""
        items: list[Any] = self.document["items"] if isinstance(self.document, dict) else self.document
        return items

    @property
    def total(self) -> int | None:
        """How many records the whole query has, by Sitoo's own count; None where the answer does not say."""
        total = self.document.get("totalcount") if isinstance(self.document, dict) else None
        return total if isinstance(total, int) and not isinstance(total, bool) else None


def read_body(*, raw: bytes, encoding: str, expect: Expect) -> tuple[bytes, Any]:
    """The body as gzip, and its decoded JSON.

    Raises:
        UnusableBodyError: It is cut, not JSON, or not in the form that was expected.
    """
    text = inflate(raw=raw, encoding=encoding)
    document = decode(text)
    if not _has_form(document, expect):
        raise UnusableBodyError(f"JSON, but not {_WANTED[expect]}", said=error_text(document))
    data = raw if text is not raw else gzip.compress(raw, compresslevel=6, mtime=0)
    return data, document


def inflate(*, raw: bytes, encoding: str) -> bytes:
    """The body without its content encoding; the same object where it had none.

    Raises:
        UnusableBodyError: Cut or damaged gzip, or an encoding that was not asked for.
    """
    match encoding.strip().lower():
        case "" | "identity":
            return raw
        case "gzip" | "x-gzip":
            try:
                return _gunzip(raw)
            except (EOFError, OSError, zlib.error) as error:
                raise UnusableBodyError(f"a body of {len(raw)} bytes that is cut or no valid gzip") from error
        case _:
            raise UnusableBodyError("a body in a content encoding that was not asked for")


def _gunzip(raw: bytes) -> bytes:
    """The content of a gzip body.

    Its last four bytes say how long it is; told beforehand, zlib needs one buffer and half the time. They are only
    believed as far as gzip can compress at all. A body in several parts is for the standard library.
    """
    said = int.from_bytes(raw[-4:], "little")
    inflating = zlib.decompressobj(wbits=_GZIP)
    text = inflating.decompress(raw, min(said, len(raw) * _MOST_COMPRESSED) + 1)
    if inflating.eof and not inflating.unused_data and len(text) == said:
        return text
    return gzip.decompress(raw)


def decode(text: bytes) -> Any:
    """The JSON document in ``text``.

    Raises:
        UnusableBodyError: It is empty, HTML, or no whole JSON document.
    """
    try:
        with _UNCOLLECTED:
            return orjson.loads(text)
    except orjson.JSONDecodeError:
        start = text.lstrip()[:1]
        what = "an empty body" if not start else "an HTML page" if start == b"<" else "a body that is cut or no JSON"
        # The decoder's error holds the whole document, with customers in it: it stays out of the chain.
        raise UnusableBodyError(what) from None


def _has_form(document: Any, expect: Expect) -> bool:
    match expect:
        case "array":
            return isinstance(document, list)
        case "envelope":
            return isinstance(document, dict) and isinstance(document.get("items"), list)
        case "object":
            return isinstance(document, dict)


def error_text(document: Any) -> str:
    """Sitoo's own words in the document of an error: ``{"statuscode": 400, "errortext": "..."}``."""
    return str(document.get("errortext", "")) if isinstance(document, dict) else ""
