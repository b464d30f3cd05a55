"""Files that appear only when they are complete."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sitoo_pipeline.reporting.errors import OutputError


def check_place(path: Path) -> None:
    """Whether a file can be at ``path`` at all, before any work is done for it.

    Raises:
        OutputError: it is a folder, or there is no folder for it.
    """
    if path.is_dir():
        raise OutputError(path, "it is a folder")
    if not path.absolute().parent.is_dir():
        raise OutputError(path, f"there is no folder {path.absolute().parent}")


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Let ``write`` make the file beside ``path``, then put it in place by a rename; what was there stays until then.

    Raises:
        OutputError: the folder is not there, or may not be written, or the disk is full.
    """
    check_place(path)
    fresh = path.with_name(f".{path.name}.new")
    try:
        try:
            write(fresh)
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise OutputError(path, error.strerror or str(error)) from error
