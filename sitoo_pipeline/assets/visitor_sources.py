"""Who counts visitors, asked for some dates: Sitoo's custom metric, or the files of a folder. No dagster here.

What is received is landed as it came. Loading it is in ``extract_visitors``.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import orjson
import polars as pl

from sitoo_pipeline.assets.landing import fetch_folder
from sitoo_pipeline.assets.runtime import Runtime
from sitoo_pipeline.sitoo import RESOURCES, RetryPolicy, SitooClient, land
from sitoo_pipeline.sitoo.errors import PermanentSitooError
from sitoo_pipeline.tables import raw
from sitoo_pipeline.transforms import believed, counts_of_file, counts_of_metric
from sitoo_pipeline.transforms.visitor_counts import METRIC_SHAPE, Count, RefusedCount

_PER_STORE_AND_DATE = "date_store"


class UnreadableError(RuntimeError):
    """Nobody can say how many visitors there were; the text says why, and what to do."""


@dataclass(frozen=True)
class VisitorsRead:
    """What the source says of some dates.

    Attributes:
        rows: ``raw.visitors``.
        refused: The counts that break a rule.
        folder: Where the bodies are; it is not there where there are none.
        landed: The landed body of each source, as ``_landing_file`` names it.
        records: Objects or lines that there were.
        requests: Requests that it took.
        unknown_fields: Dotted paths of fields that nobody documented.
    """

    rows: pl.DataFrame
    refused: tuple[RefusedCount, ...]
    folder: Path
    landed: dict[str, str]
    records: int
    requests: int = 0
    unknown_fields: frozenset[str] = frozenset()


def read_visitors(runtime: Runtime, dates: Sequence[date], at: datetime) -> VisitorsRead:
    """Ask the source of the settings for ``dates``, at most 100 days from the first to the last.

    Raises:
        UnreadableError: there is no such source, or the API user may not see it, or Sitoo refuses the request.
        SitooError: Sitoo could not be asked.
    """
    landing = runtime.account.landing_folder
    folder = fetch_folder(landing, raw.VISITORS.name, f"{min(dates)}--{max(dates)}", at)
    if (files := runtime.account.visitors_folder) is not None:
        return _read_files(runtime, files, dates, folder)
    return _read_metric(runtime, dates, folder)


def look_at_source(runtime: Runtime, retry: RetryPolicy | None = None) -> str:
    """What the source of visitors is, in a few words; nothing is read of it but that it is there.

    Raises:
        UnreadableError: there is no such source, or the API user may not see it, or Sitoo refuses the request.
        SitooError: Sitoo could not be asked.
    """
    if (files := runtime.account.visitors_folder) is not None:
        return f"{len(_files_in(files))} CSV files in {files}"
    metric = _metric_of(runtime)
    with _readable(metric), runtime.sitoo(retry) as client:
        _look_at_definition(client, metric)
    return f"the custom metric {metric}"


def _metric_of(runtime: Runtime) -> str:
    settings = runtime.account.visitors
    return settings.metric if settings and settings.metric else ""


@contextmanager
def _readable(metric: str) -> Iterator[None]:
    """An API user that may not see custom metrics may see other things, and a refusal stays until somebody acts."""
    try:
        yield
    except PermanentSitooError as error:
        raise UnreadableError(
            f"the custom metric {metric} cannot be read ({error.came_back}), so no visitors are loaded. Look at the "
            "setting visitors.metric, and in Sitoo let the API user read custom metrics"
        ) from error


def _read_metric(runtime: Runtime, dates: Sequence[date], folder: Path) -> VisitorsRead:
    """The values of the custom metric from the first date to the last, in one answer."""
    metric = _metric_of(runtime)
    days = (max(dates) - min(dates)).days + 1
    with _readable(metric), runtime.sitoo() as client:
        tries = _look_at_definition(client, metric)
        landed = land(
            client=client,
            resource=RESOURCES["custom_metric_values"],
            folder=folder,
            shape=METRIC_SHAPE,
            extra_params={"keys": metric, "date": min(dates).isoformat(), "num_days": days},
        )
    values = [item for file in landed.files for item in orjson.loads(gzip.decompress(file.read_bytes()))]
    bodies = {metric: _below(runtime, landed.files[0])} if landed.files else {}
    rows, refused = _judge(runtime, counts_of_metric(values, metric=metric), dates, bodies)
    return VisitorsRead(rows, refused, folder, bodies, landed.records, landed.requests + tries, landed.unknown_fields)


def _look_at_definition(client: SitooClient, metric: str) -> int:
    """Refuse a metric that is not there, or does not tell of a store on a date; returns the requests that it took."""
    resource = RESOURCES["custom_metrics"]
    body = client.get(resource.path, resource.query(window=None, extra={"keys": metric}), "array")
    found: list[Any] = [item for item in body.items if isinstance(item, dict) and item.get("key") == metric]
    if not found:
        raise UnreadableError(
            f"Sitoo has no custom metric {metric}, so no visitors are loaded. Look at the setting visitors.metric"
        )
    if (grouping := found[0].get("grouping")) != _PER_STORE_AND_DATE:
        raise UnreadableError(
            f"the custom metric {metric} is grouped by {grouping} and not by {_PER_STORE_AND_DATE}, so no visitors are "
            "loaded. Look at the setting visitors.metric"
        )
    return body.tries


def _read_files(runtime: Runtime, files: Path, dates: Sequence[date], folder: Path) -> VisitorsRead:
    """Every ``*.csv`` of the folder, in the order of the names; those with anything of the dates are landed."""
    contents: dict[str, bytes] = {}
    for file in _files_in(files):
        try:
            contents[file.name] = file.read_bytes()
        except OSError as error:
            raise UnreadableError(
                f"{file} cannot be read ({type(error).__name__}), so no visitors are loaded. Let the pipeline's user "
                "read it"
            ) from error
    bodies = {name: _below(runtime, folder / f"{name}.gz") for name in contents}
    counts = [count for name, content in contents.items() for count in _counts_in(content, name)]
    rows, refused = _judge(runtime, counts, dates, bodies)
    for name in sorted({*rows["source"], *(count.source for count in refused)}):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.gz").write_bytes(gzip.compress(contents[name], mtime=0))
    return VisitorsRead(rows, refused, folder, bodies, len(counts))


def _files_in(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise UnreadableError(
            f"there is no folder {folder}, so no visitors are loaded. Look at the setting visitors.folder"
        )
    files = sorted(folder.glob("*.csv"))
    if not files:  # as where a share is not mounted; what was loaded from it was counted all the same
        raise UnreadableError(
            f"there is no file *.csv in {folder}, so no visitors are loaded. Look at the setting visitors.folder"
        )
    return files


def _counts_in(content: bytes, name: str) -> Iterator[Count]:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        yield Count(source=name, where=f"{name}:{line}", given="", broken=("utf_8", ""))
    else:
        yield from counts_of_file(text, name=name)


def _judge(
    runtime: Runtime, counts: Iterable[Count], dates: Sequence[date], bodies: dict[str, str]
) -> tuple[pl.DataFrame, tuple[RefusedCount, ...]]:
    with runtime.warehouse.connect() as con:
        places = runtime.places(con)
    rows, refused = believed(counts, places=places, dates=set(dates), bodies=bodies)
    return rows, tuple(refused)


def _below(runtime: Runtime, file: Path) -> str:
    return file.relative_to(runtime.account.landing_folder).as_posix()
