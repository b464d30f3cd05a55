"""Decoding of bodies: any JSON, and lists of records whose shape is known.

Of records it is known which fields Sitoo documents. Told so, a decoder takes half the time, during which no other
thread of Python runs; and it stops at a field that it was not told of, so that looking for those costs nothing.
"""

from __future__ import annotations

import gc
import keyword
from collections.abc import Sequence
from threading import Lock
from typing import Any

import msgspec
import orjson

from sitoo_pipeline.sitoo.drift import Shape, unknown_fields


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


class UnusableBodyError(Exception):
    """A body that is not what was asked for.

    The text says what it is instead, without quoting it; ``said`` is what Sitoo says in it, not yet fit to be shown.
    """

    def __init__(self, what: str, *, said: str = "") -> None:
        super().__init__(what)
        self.said = said


class Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """An object of a known shape: each field an attribute, None where the object has none. Read it by ``value_of``."""


class Decoder:
    """Decodes bodies of records of a shape, and notes which fields they have besides.

    A body that is not as the shape has it is decoded as any JSON: then its records are dicts. Fields that were found in
    one are part of the shape from there on, so that only the first of many such bodies takes longer. For any thread.
    """

    def __init__(self, shape: Shape) -> None:
        self._shape = shape
        self._known = _decoder(shape)
        self._found: frozenset[str] = frozenset()
        self._lock = Lock()

    @property
    def unknown_fields(self) -> frozenset[str]:
        """Dotted paths of the fields in the bodies so far that the shape does not have."""
        return self._found

    def __call__(self, text: bytes) -> Any:
        """The document in ``text``, as ``decode`` has it but for the records, which are ``Record`` or dict.

        Raises:
            UnusableBodyError: As from ``decode``.
        """
        try:
            with _UNCOLLECTED:
                document = self._known.decode(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            document = decode(text)
            self._learn(document)
            return document
        return document if isinstance(document, list) else msgspec.structs.asdict(document)

    def _learn(self, document: Any) -> None:
        records = document.get("items") if isinstance(document, dict) else document
        with self._lock:
            if isinstance(records, list) and (found := unknown_fields(records, self._shape)):
                self._found |= found
                for path in found:
                    self._shape = _with(self._shape, path.split("."))
                self._known = _decoder(self._shape)


def value_of(record: Any, name: str) -> Any:
    """A field of a decoded record; None where it has none, and where the record is no object."""
    if isinstance(record, Record):
        return getattr(record, name, None)
    return record.get(name) if isinstance(record, dict) else None


def _decoder(shape: Shape) -> msgspec.json.Decoder[Any]:
    record: Any = _record(shape)
    envelope = msgspec.defstruct("Envelope", [("items", list[record]), ("totalcount", Any, None)])
    return msgspec.json.Decoder(envelope | list[record])


def _record(shape: Shape) -> type[msgspec.Struct]:
    """The type of objects of ``shape``. A field whose name cannot be that of an attribute has a number for it."""
    names = {name: name if _is_attribute(name) else f"_{number}" for number, name in enumerate(shape)}
    fields = [(names[name], _kind(inner), None) for name, inner in shape.items()]
    renamed = {attribute: name for name, attribute in names.items()}
    return msgspec.defstruct("Record", fields, bases=(Record,), rename=renamed)


def _kind(inner: Shape | None) -> Any:
    if inner is None:
        return Any
    record: Any = _record(inner)
    return list[record] | record | None


def _is_attribute(name: str) -> bool:
    return name.isidentifier() and not name.startswith("_") and not keyword.iskeyword(name)


def _with(shape: Shape, path: Sequence[str]) -> Shape:
    name, *below = path
    inner = shape.get(name)
    return {**shape, name: _with(inner, below) if inner is not None and below else None}


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
