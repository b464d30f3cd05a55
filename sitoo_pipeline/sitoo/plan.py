"""Which lists make up a landing: one slice of work for each site, register, or batch of ids.

Slices do not depend on each other, so several API users can fetch them at once; and the pages of one long slice are
shared between them as well (``by_id``). Fetching them is in ``landing``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

from sitoo_pipeline.sitoo.by_id import by_id_cursor
from sitoo_pipeline.sitoo.client import Params, Value
from sitoo_pipeline.sitoo.paging import Fetch, Pages, by_date_added, by_offset, single
from sitoo_pipeline.sitoo.resources import Resource
from sitoo_pipeline.sitoo.window import Scope, Window

_IDS_PER_REQUEST = 100  # keeps addresses far below the 8,000 characters that servers commonly accept


@dataclass(frozen=True, kw_only=True)
class Slice:
    """A part of a resource that is read from its first page to its last."""

    resource: Resource
    path: str
    query: Params
    registers: tuple[str, ...]
    expected_records: int = 0

    def pages(self, fetch: Fetch) -> Pages:
        """Its pages, each with at least one record, in the way in which the resource pages."""
        one = self.resource
        match one.paging:
            case "id_cursor":
                return by_id_cursor(
                    fetch,
                    path=self.path,
                    query=self.query,
                    cursor=one.cursor,
                    page_size=one.page_size,
                    expected_records=self.expected_records,
                )
            case "offset":
                return by_offset(fetch, path=self.path, query=self.query, key=one.key, page_size=one.page_size)
            case "added":
                return by_date_added(
                    fetch,
                    path=self.path,
                    query=self.query,
                    cursor=one.cursor,
                    key=one.key,
                    page_size=one.page_size,
                    registers=self.registers,
                )
            case "single":
                return single(fetch, path=self.path, query=self.query)


def plan(
    *, resource: Resource, window: Window | None, scope: Scope, extra: Params, expected_records: int = 0
) -> tuple[Slice, ...]:
    """The slices of a landing, in the order of their files; of one alone it is known how many records are expected.

    Raises:
        ValueError: The resource has no such parameter or no dates, or the scope names nothing to ask for.
    """
    registers = tuple(register for _, register in scope.registers)
    lists = [(path, batch) for path in paths_of(resource, scope) for batch in _batches(resource, extra)]
    return tuple(
        Slice(
            resource=resource,
            path=path,
            query=resource.query(window=window, extra=batch),
            registers=registers,
            expected_records=expected_records if len(lists) == 1 else 0,
        )
        for path, batch in lists
    )


def paths_of(resource: Resource, scope: Scope) -> tuple[str, ...]:
    """The paths at which a resource has to be asked for: one for the account, or one for each site or register.

    Raises:
        ValueError: The scope names nothing to ask for.
    """
    paths: tuple[str, ...]
    match resource.scope:
        case "account":
            return (resource.path,)
        case "site":
            paths = tuple(resource.path.format(siteid=site) for site in scope.sites)
        case "register":
            paths = tuple(
                resource.path.format(siteid=site, registerid=quote(register, safe=""))
                for site, register in scope.registers
            )
    if not paths:
        raise ValueError(f"{resource.name} is asked for by {resource.scope}, and the scope names none")
    return paths


def _batches(resource: Resource, extra: Params) -> Iterator[Params]:
    """``extra`` as it is, or in several pieces where it lists more ids than one request should carry."""
    name = resource.key[0]
    ids: Value = extra.get(name)
    if ids is None or isinstance(ids, str | int) or len(ids) <= _IDS_PER_REQUEST:
        yield extra
        return
    for first in range(0, len(ids), _IDS_PER_REQUEST):
        yield {**extra, name: ids[first : first + _IDS_PER_REQUEST]}
