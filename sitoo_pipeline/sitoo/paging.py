"""The ways in which Sitoo pages, but for the id cursor, which is in ``by_id``; and what they share.

Each is a generator of bodies that ends only when it is sure that nothing is left, or raises: a short page proves
nothing, totals move, and tills sell while we read. Which resource pages how is in ``resources``; writing pages down in
``landing``.
"""

from __future__ import annotations

import operator
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, Protocol

import msgspec
import orjson

from sitoo_pipeline.sitoo.body import Body, Expect
from sitoo_pipeline.sitoo.client import Params
from sitoo_pipeline.sitoo.decoding import value_of
from sitoo_pipeline.sitoo.errors import PermanentSitooError, TransientSitooError


class Fetch(Protocol):
    """Asks for one path with parameters and an expected form."""

    @property
    def ahead(self) -> int:
        """How many requests may be begun and not read yet."""

    def __call__(self, path: str, params: Params, expect: Expect) -> Body:
        """The answer."""

    def begin(self, path: str, params: Params, expect: Expect) -> Future[Body]:
        """Ask now and go on."""

    def all_asked(self) -> None:
        """Told when, as far as one can tell, nothing of a list is left to be asked for, though not all is read."""


Pages = Generator[Body, None, int]
"""The bodies of a list; it returns how many more records Sitoo counted than it shows this API user."""

READS = 4
"""How often a list that keeps moving is read from its start."""


def by_offset(fetch: Fetch, *, path: str, query: Params, key: Sequence[str], page_size: int) -> Pages:
    """Pages by position, for short lists without a cursor. Nothing is given out before the whole list is read.

    A list that changes while it is read shifts its pages, so that records are missed or come twice. Its marks are a
    total that moved, a key that comes twice, and a number of records that is not the total. It is then read again from
    its start, until a read bears none of the marks, or only the last one and twice alike: then the total counts records
    that this API user may not see.

    Returns:
        How many these are.

    Raises:
        TransientSitooError: It moved in every read.
    """
    previous: list[Any] | None = None
    for _ in range(READS):
        bodies, repeats = _read_once(fetch, path=path, query=query, key=key, page_size=page_size)
        records = [record for body in bodies for record in body.items]
        totals = {body.total for body in bodies}
        whole = totals in ({len(records)}, {None}) or records == previous
        if whole and not repeats:
            yield from (body for body in bodies if body.items)
            return max(0, *((total or 0) - len(records) for total in totals))
        previous = records
    raise TransientSitooError(f"GET {path}", f"the list changed during each of {READS} reads")


def _read_once(
    fetch: Fetch, *, path: str, query: Params, key: Sequence[str], page_size: int
) -> tuple[list[Body], bool]:
    """One read of a list, up to its end or to the first sign of records that come again, and whether there was one."""
    bodies: list[Body] = []
    seen: set[bytes] = set()
    start = 0
    while True:
        body = fetch(path, {**query, "start": start, "num": page_size}, "envelope")
        bodies.append(body)
        start += len(body.items)
        seen.update(_identity(record, key) for record in body.items)
        at_end = not body.items or (body.total is not None and start >= body.total)
        if at_end or len(seen) < start:
            return bodies, len(seen) < start


def by_date_added(
    fetch: Fetch, *, path: str, query: Params, cursor: str, key: Sequence[str], page_size: int, registers: Sequence[str]
) -> Pages:
    """Bare arrays in the order of the second they were added, each asked for from the last second of the one before.

    The bounds are inclusive and several records can share a second, so the last second is always asked for again and
    its records can come twice; the loader keeps one for each key. There is no total: the one proof that nothing is left
    is an answer with nothing after the second that was asked for. It costs one request, and unlike a page shorter than
    Sitoo's maximum it also holds should Sitoo lower that maximum.

    Raises:
        PermanentSitooError: The records do not come in order, or more of them share a second than can be read.
    """
    bound = f"{cursor}from"
    since = whole_number(query.get(bound))
    seen: set[bytes] = set()
    while True:
        body = fetch(path, {**query, bound: since}, "array")
        seconds = whole_numbers(body.items, cursor)
        if not in_order(seconds, lowest=since):
            raise out_of_order(path, cursor, since)
        identities = {_identity(record, key) for record in body.items}
        if not identities <= seen:
            yield body
            seen |= identities
        if len(body.items) >= page_size and len(set(seconds)) < 2:
            if not seconds:
                raise out_of_order(path, cursor, since)
            yield from _one_second(
                fetch, path=path, query=query, cursor=cursor, page=body, page_size=page_size, registers=registers
            )
            since = seconds[-1] + 1
        elif not seconds or seconds[-1] == since:
            return 0
        else:
            since = seconds[-1]


def _one_second(
    fetch: Fetch, *, path: str, query: Params, cursor: str, page: Body, page_size: int, registers: Sequence[str]
) -> Iterator[Body]:
    """All records of the second that fills ``page``, register by register."""
    second = whole_numbers(page.items, cursor)[0]
    crowd = f"{page_size} records or more share the {cursor} {second}, as many as an answer can hold"
    if not registers:
        remedy = "They can only be read register by register: fetch the cash registers first and put them in the scope."
        raise PermanentSitooError(f"GET {path}", crowd, remedy=remedy)
    # Registers that show up in the page but not in the list of registers are asked too.
    found = {value_of(record, "registerid") for record in page.items}
    for register in sorted({*registers, *(name for name in found if isinstance(name, str))}):
        asked = {**query, f"{cursor}from": second, f"{cursor}to": second, "registerid": register}
        body = fetch(path, asked, "array")
        if len(body.items) >= page_size:
            remedy = "Sitoo offers no way to read them all: ask Sitoo's support."
            raise PermanentSitooError(f"GET {path}", f"{crowd}, all of register {register}", remedy=remedy)
        if body.items:
            yield body


def single(fetch: Fetch, *, path: str, query: Params) -> Pages:
    """A bare array that is the whole answer, for what Sitoo lists without pages."""
    body = fetch(path, query, "array")
    if body.items:
        yield body
    return 0


def in_order(values: Sequence[int], *, lowest: int | None, strictly: bool = False) -> bool:
    """Whether values rise, and none is below ``lowest``."""
    if lowest is not None and values and values[0] < lowest:
        return False
    compare = operator.lt if strictly else operator.le
    return all(map(compare, values, values[1:]))


def out_of_order(path: str, cursor: str, lowest: int | None) -> PermanentSitooError:
    """The error for an answer that ignored order or bound, after which reading on would miss records or never end."""
    start = "the first" if lowest is None else lowest
    return PermanentSitooError(
        f"GET {path}",
        f"the records do not come in the order of {cursor} from {start} on",
        remedy="What answers ignores order or bounds: look at the setting base_url, and for proxies.",
    )


def whole_number(value: Any) -> int | None:
    """A bound as it stands in a query."""
    return int(value) if isinstance(value, int | str) else None


def whole_numbers(records: Sequence[Any], name: str) -> list[int]:
    """The values of a field in the records that have it as a whole number."""
    values = [value_of(record, name) for record in records]
    return [value for value in values if isinstance(value, int) and not isinstance(value, bool)]


def _identity(record: Any, key: Sequence[str]) -> bytes:
    """The key of a record, or all of it where it has none."""
    values = [value_of(record, name) for name in key]
    said = record if None in values else values
    return orjson.dumps(said, default=msgspec.structs.asdict, option=orjson.OPT_SORT_KEYS)
