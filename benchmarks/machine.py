"""What the figures were found on: the machine, and the versions of what does the work."""

from __future__ import annotations

import os
import platform
from importlib.metadata import version
from pathlib import Path

_PACKAGES = ("dagster", "duckdb", "polars", "pyarrow", "httpx", "msgspec", "orjson", "sqlalchemy")


def machine() -> str:
    """Cores, processor and memory."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} cores ({_processor()}), {memory:.0f} GiB, {platform.system()} {platform.release()}"


def versions() -> dict[str, str]:
    """Python and the packages that do the work."""
    return {"Python": platform.python_version(), **{name: version(name) for name in _PACKAGES}}


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.machine())
