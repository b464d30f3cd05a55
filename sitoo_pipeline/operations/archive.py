"""A backup as a file: a tar of what is kept of each account, and a manifest with the hash of each file.

What belongs here: writing the file, and checking one before anything of it is used. What goes into it is in ``backup``,
what comes out of it in ``restore``.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

MANIFEST = "manifest.json"
FORMAT = 1
_PIECE = 2**20


class BackupError(RuntimeError):
    """A backup that cannot be made or used. Nothing that is kept was changed."""


@dataclass
class Manifest:
    """What a backup says of itself.

    ``members`` has the SHA-256 of each file by its name in the tar, ``<account>/<path below the account's folder>``;
    ``left_out`` says for each account what has to be backed up by other means.
    """

    schema_version: int
    created_at: str = ""
    format: int = FORMAT
    members: dict[str, str] = field(default_factory=dict)
    left_out: dict[str, list[str]] = field(default_factory=dict)

    @property
    def accounts(self) -> list[str]:
        """The accounts that it holds something of."""
        return sorted({PurePosixPath(name).parts[0] for name in self.members})


class _Hashed(io.RawIOBase):
    """A stream that is hashed as it is read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        piece = self._stream.read(size)
        self.hash.update(piece)
        return piece


class Writer:
    """A backup that is being written."""

    def __init__(self, tar: tarfile.TarFile, manifest: Manifest) -> None:
        self._tar = tar
        self.manifest = manifest

    def add(self, name: str, stream: IO[bytes]) -> None:
        """Add what is left of an open file, whose size must not change meanwhile."""
        info = tarfile.TarInfo(name)
        info.size = os.fstat(stream.fileno()).st_size
        info.mode = 0o600
        info.mtime = int(datetime.now(UTC).timestamp())
        hashed = _Hashed(stream)
        self._tar.addfile(info, hashed)
        self.manifest.members[name] = hashed.hash.hexdigest()

    def finish(self) -> None:
        """Add the manifest."""
        self.manifest.created_at = datetime.now(UTC).isoformat(timespec="seconds")
        said = json.dumps(asdict(self.manifest), indent=2, sort_keys=True).encode()
        info = tarfile.TarInfo(MANIFEST)
        info.size, info.mode = len(said), 0o600
        self._tar.addfile(info, io.BytesIO(said))


@contextmanager
def writing(output: Path, schema_version: int) -> Iterator[Writer]:
    """A backup at ``output``, which appears there when it is whole, readable for its owner alone."""
    fresh = output.with_name(f".{output.name}.new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w") as tar:
                writer = Writer(tar, Manifest(schema_version))
                yield writer
                writer.finish()
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(output)
    finally:
        fresh.unlink(missing_ok=True)


def read_manifest(path: Path) -> Manifest:
    """What the backup says of itself, and nothing checked against it yet.

    Raises:
        BackupError: it is no backup, is cut short, or a newer pipeline made it in another format.
        OSError: the file cannot be read.
    """
    try:
        with tarfile.open(path, mode="r:") as tar:
            file = tar.extractfile(MANIFEST)
            said: dict[str, Any] = json.loads(file.read()) if file else {}
    except (tarfile.TarError, KeyError, ValueError, EOFError):
        raise BackupError(
            f"{path} is no backup of sitoo-pipeline, or it is cut short: it has no readable manifest."
        ) from None
    if said.get("format") != FORMAT:
        raise BackupError(
            f"{path} has the format {said.get('format')}, and this pipeline reads {FORMAT}: install the newer pipeline "
            "that made it."
        )
    manifest = Manifest(**said)
    for name in manifest.members:
        parts = PurePosixPath(name).parts
        if len(parts) < 2 or ".." in parts or name.startswith("/"):
            raise BackupError(f"{path} names a file outside of the accounts' folders: sitoo-pipeline did not make it.")
    return manifest


def unpack(path: Path, manifest: Manifest, places: dict[str, Path]) -> None:
    """Write each member named in ``places`` to its place, and check every member of the backup by its hash.

    Raises:
        BackupError: a file is missing, cut short or not what was backed up. What was written is not to be used.
    """
    found: dict[str, str] = {}
    try:
        with tarfile.open(path, mode="r:") as tar:
            for info in tar:
                if info.name in manifest.members and info.isreg() and (source := tar.extractfile(info)):
                    found[info.name] = _copied(source, places.get(info.name))
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{path} is damaged ({type(error).__name__}): take another backup.") from None
    wrong = sorted(name for name, wanted in manifest.members.items() if found.get(name) != wanted)
    if wrong:
        more = f" and {len(wrong) - 1} more" if len(wrong) > 1 else ""
        raise BackupError(f"{path} is damaged: {wrong[0]}{more} is not what was backed up. Take another backup.")


def _copied(source: IO[bytes], place: Path | None) -> str:
    hashed = _Hashed(source)
    if place is None:
        while hashed.read(_PIECE):
            pass
        return hashed.hash.hexdigest()
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as target:
        while piece := hashed.read(_PIECE):
            target.write(piece)
        target.flush()
        os.fsync(target.fileno())
    return hashed.hash.hexdigest()
