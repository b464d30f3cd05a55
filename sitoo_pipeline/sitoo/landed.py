"""What a landing brought: files, and what is known of them. How they get there is in ``landing``."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal


class Stopped(Exception):  # noqa: N818 (what happened, as the errors of requests are named)
    """The landing was given up before it was whole, because the caller said so. Nothing is left of it."""


@dataclass(frozen=True)
class Page:
    """One body as it lies on disk, and the latest second of its records' clock; None where none of them tells one."""

    data: bytes = field(repr=False)
    latest: int | None


@dataclass(frozen=True, kw_only=True)
class Landed:
    """What a landing brought.

    A record can be in more than one file: a page that was asked for ahead begins with the last record of the one
    before it, and where a bound is inclusive its second is asked for twice. Whoever loads the files keeps one record
    for each key.

    Attributes:
        folder: Where the files are.
        files: The pages in order, gzip-compressed JSON. None where there were no records.
        layout: The form of each page: an ``envelope`` with ``items``, or a bare ``array``.
        resource: Name of the resource that answered: the one asked for, or its fallback.
        records: Records that came, copies included.
        requests: Requests that were sent, tries included.
        unknown_fields: Dotted paths of fields that the shape does not have.
        unseen: How many more records Sitoo counted than it shows this API user; 0 but for a few accounts.
        latest: The latest second of each file's records by their clock; None where none of them tells one.
    """

    folder: Path
    files: tuple[Path, ...]
    layout: Literal["envelope", "array"]
    resource: str
    records: int
    requests: int
    unknown_fields: frozenset[str]
    unseen: int = 0
    latest: tuple[int | None, ...] = field(default=(), repr=False)

    def pages_from(self, second: int) -> list[Page]:
        """The pages that can have records of ``second`` or later, read from their files."""
        reaching = zip(self.files, self.latest, strict=True)
        return [Page(file.read_bytes(), at) for file, at in reaching if at is None or at >= second]
