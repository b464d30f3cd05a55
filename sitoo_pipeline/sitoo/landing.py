"""From Sitoo to files: every page of a resource, as received, in a folder that exists only when it is complete.

What the records mean, which of them count, and which of two copies stays is for those who load the files.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Lock
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from sitoo_pipeline.sitoo.body import Body, Expect
from sitoo_pipeline.sitoo.client import Params, SitooClient
from sitoo_pipeline.sitoo.decoding import Decoder, decode
from sitoo_pipeline.sitoo.drift import Shape
from sitoo_pipeline.sitoo.errors import NotFound, SitooError
from sitoo_pipeline.sitoo.landed import Landed, Page, Stopped
from sitoo_pipeline.sitoo.paging import whole_numbers
from sitoo_pipeline.sitoo.plan import Slice, plan
from sitoo_pipeline.sitoo.resources import Resource
from sitoo_pipeline.sitoo.window import Scope, Window

_LEFTOVER_SECONDS = 24 * 3600  # nobody is still writing into a folder that has not changed for a day


def land(
    *,
    client: SitooClient,
    resource: Resource,
    folder: Path,
    window: Window | None = None,
    scope: Scope | None = None,
    shape: Shape | None = None,
    extra_params: Params | None = None,
    clock: str | None = None,
    before: Callable[[], Sequence[Page]] = tuple,
    stop: Event | None = None,
    arrived: Callable[[int], None] | None = None,
    all_asked: Callable[[], None] | None = None,
    expected_records: int = 0,
) -> Landed:
    """Fetch a resource whole and put its pages into ``folder``, replacing what is there.

    The pages are collected in a hidden folder beside it, which takes its name when the last page is there. So a fetch
    that failed or was killed changes nothing, and running again is safe. With several API users the work is split
    between them.

    Args:
        client: The connection to the account.
        resource: A row of the catalogue.
        folder: Where the pages shall be, as ``0000.json.gz`` and so on; its parents are made.
        window: The time to ask for; None for everything, or for a resource without dates.
        scope: The sites and registers to ask; site 1 where it is not given.
        shape: The known fields of a record, to find unknown ones; None to not look.
        extra_params: Further parameters that the resource knows, such as ``orderid`` with a list of ids.
        clock: The field that dates a record, in epoch seconds, for ``Landed.latest``.
        before: Tells the pages of an earlier landing with records that belong here too; copies of them come first. It
            is asked when the last page is there, so that the earlier landing need not be finished before.
        stop: Set it to give the landing up, at the next request.
        arrived: Is told of each page how many records it has, in any thread.
        all_asked: Is told when nothing is left to ask for, as far as one can tell, though answers are still awaited:
            who has another landing to begin may do so. It can be told several times, and never where there are
            several lists, of which nobody knows beforehand how long they are.
        expected_records: How many there will be at least, as far as one can guess; 0 where one cannot. Several API
            users then begin at once. Too high a guess costs requests, and nothing else.

    Raises:
        SitooError: The fetch failed; see its types.
        Stopped: ``stop`` was set.
        ValueError: A parameter that the resource does not know, or a scope that names nothing to ask for.
    """
    scope, extra = scope or Scope(), extra_params or {}
    asked = _Asked(clock, arrived or (lambda records: None))
    decoder = Decoder(shape) if shape is not None else None
    folder.parent.mkdir(parents=True, exist_ok=True)
    _remove_leftovers(folder)
    work = folder.parent / f".{folder.name}.{uuid4().hex}"
    try:
        with _Calls(client, decoder or decode, stop) as calls:
            absent: set[str] = set()
            while True:
                fallback = _stand_in(resource, scope, extra)
                if fallback and resource.path in client.absent:
                    resource = fallback
                    continue
                work.mkdir(parents=True)
                try:
                    slices = plan(
                        resource=resource, window=window, scope=scope, extra=extra, expected_records=expected_records
                    )
                    if all_asked is not None and len(slices) == 1:
                        calls.all_asked = all_asked
                    landed = _land_slices(slices, calls=calls, work=work, asked=asked, workers=client.concurrency)
                    break
                except NotFound:
                    if fallback is None:
                        raise
                    absent.add(resource.path)
                    resource = fallback
                    shutil.rmtree(work)
        client.absent.update(absent)  # only now that another has answered: it was not the base URL that was wrong
        earlier = before()
        names = [f"{number:04d}.json.gz" for number in range(len(earlier) + sum(len(part.files) for part in landed))]
        for page, name in zip(earlier, names, strict=False):
            (work / name).write_bytes(page.data)
        for file, name in zip((file for part in landed for file in part.files), names[len(earlier) :], strict=True):
            file.rename(work / name)
        _publish(work, folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return Landed(
        folder=folder,
        files=tuple(folder / name for name in names),
        layout=resource.layout,
        resource=resource.name,
        records=sum(part.records for part in landed),
        requests=calls.count,
        unknown_fields=decoder.unknown_fields if decoder else frozenset(),
        unseen=sum(part.unseen for part in landed),
        latest=(*(page.latest for page in earlier), *(at for part in landed for at in part.latest)),
    )


@dataclass(frozen=True)
class _Asked:
    """What the caller wants to know of the pages."""

    clock: str | None
    arrived: Callable[[int], None]


@dataclass(frozen=True)
class _Part:
    """What one slice brought."""

    files: tuple[Path, ...]
    records: int
    unseen: int
    latest: tuple[int | None, ...]


class _Calls:
    """The requests of one landing: counted, and stopped between two of them when the landing has failed.

    There are two threads for each API user, so that each has a request in flight while bodies are decoded.
    """

    def __init__(self, client: SitooClient, decoded: Callable[[bytes], Any], given_up: Event | None) -> None:
        self._client = client
        self._decoded = decoded
        self._given_up = given_up or Event()
        self.all_asked: Callable[[], None] = lambda: None
        self._lock = Lock()
        self._pool = ThreadPoolExecutor(max_workers=self.ahead, thread_name_prefix="sitoo-request")
        self.stop = Event()
        self.count = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop.set()
        self._pool.shutdown(cancel_futures=True)

    @property
    def ahead(self) -> int:
        """How many requests may be asked for that are not answered yet."""
        return 2 * self._client.concurrency

    def __call__(self, path: str, params: Params, expect: Expect) -> Body:
        if self.stop.is_set() or self._given_up.is_set():
            raise Stopped
        try:
            body = self._client.get(path, params, expect, self._decoded)
        except SitooError as error:
            self._add(error.tries)
            raise
        self._add(body.tries)
        return body

    def begin(self, path: str, params: Params, expect: Expect) -> Future[Body]:
        """Ask now and go on."""
        return self._pool.submit(self, path, params, expect)

    def _add(self, requests: int) -> None:
        with self._lock:
            self.count += requests


def _land_slices(slices: tuple[Slice, ...], *, calls: _Calls, work: Path, asked: _Asked, workers: int) -> list[_Part]:
    """Land slices side by side; the first failure stops the others at their next request."""
    with ThreadPoolExecutor(max_workers=min(workers, len(slices)), thread_name_prefix="sitoo") as pool:
        futures: list[Future[_Part]] = [
            pool.submit(_land_slice, one, calls=calls, work=work, asked=asked, number=number)
            for number, one in enumerate(slices)
        ]
        try:
            wait(futures, return_when=FIRST_EXCEPTION)
        finally:
            calls.stop.set()
            for future in futures:
                future.cancel()
    calls.stop.clear()
    errors = [error for future in futures if not future.cancelled() and (error := future.exception())]
    for error in errors:
        if not isinstance(error, Stopped):
            raise error
    return [future.result() for future in futures]


def _land_slice(one: Slice, *, calls: _Calls, work: Path, asked: _Asked, number: int) -> _Part:
    files: list[Path] = []
    latest: list[int | None] = []
    records = 0
    unseen = 0

    def pages() -> Iterator[Body]:
        nonlocal unseen
        unseen = yield from one.pages(calls)

    for body in pages():
        file = work / f"{number:05d}-{len(files):05d}.part"
        file.write_bytes(body.data)
        files.append(file)
        latest.append(max(whole_numbers(body.items, asked.clock), default=None) if asked.clock else None)
        records += len(body.items)
        asked.arrived(len(body.items))
    return _Part(tuple(files), records, unseen, tuple(latest))


def _stand_in(resource: Resource, scope: Scope, extra: Mapping[str, object]) -> Resource | None:
    """The fallback, if it can be asked for the same: it knows the parameters, and the scope names what it needs."""
    fallback = resource.fallback
    if fallback is None or not extra.keys() <= fallback.filters:
        return None
    return fallback if fallback.scope != "register" or scope.registers else None


def _publish(work: Path, folder: Path) -> None:
    """Give the finished folder its name. A folder cannot be renamed over another, so the old one steps aside first."""
    if not folder.exists():
        work.rename(folder)
        return
    old = work.with_name(f"{work.name}.old")
    folder.rename(old)
    try:
        work.rename(folder)
    except OSError:
        old.rename(folder)
        raise
    shutil.rmtree(old)


def _remove_leftovers(folder: Path) -> None:
    """Remove what a killed process left of an earlier landing of the same folder."""
    for leftover in folder.parent.glob(f".{folder.name}.*"):
        with suppress(FileNotFoundError):  # another process removes it too
            if time.time() - leftover.stat().st_mtime > _LEFTOVER_SECONDS:
                shutil.rmtree(leftover)
