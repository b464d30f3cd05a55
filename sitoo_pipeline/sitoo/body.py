"""An answer's body: inflated, and checked for the form that was asked for.

Sitoo answers a list with an envelope ``{"totalcount": n, "items": [...]}`` or, for a few resources, with a bare array.
A body in any other form is not an answer, whatever its status says. Decoding is in ``decoding``, which page follows
which in ``paging``.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from sitoo_pipeline.sitoo.decoding import UnusableBodyError, decode

Expect = Literal["envelope", "array", "object"]
_GZIP = 31  # zlib's number for a gzip header and a window of 32 KB
_MOST_COMPRESSED = 1032  # deflate cannot make a text smaller than its length by this
_WANTED = {"envelope": "an object with a list of items", "array": "an array", "object": "an object"}


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


def read_body(
    *, raw: bytes, encoding: str, expect: Expect, decoded: Callable[[bytes], Any] = decode
) -> tuple[bytes, Any]:
    """The body as gzip, and its JSON as ``decoded`` has it.

    Raises:
        UnusableBodyError: It is cut, not JSON, or not in the form that was expected.
    """
    text = inflate(raw=raw, encoding=encoding)
    document = decoded(text)
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
