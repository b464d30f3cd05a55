"""One command in a process of its own: how long it took, how much processor time and how much memory."""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Event

_EVERY = 0.05  # seconds between two looks at the memory


@dataclass(frozen=True)
class Measured:
    """What a command took.

    Attributes:
        seconds: From its start to its end, the start of Python included.
        cpu_seconds: Processor time of all its threads and processes.
        peak_memory: Bytes: the peak resident memory of the process plus that of every process below it, the highest sum
            that was seen; None on systems without /proc.
        output: What it printed.
    """

    seconds: float
    cpu_seconds: float
    peak_memory: int | None
    output: str


def measure(command: Sequence[str], *, cwd: Path, environ: Mapping[str, str]) -> Measured:
    """Run ``command`` to its end.

    Raises:
        RuntimeError: it failed; the text has what it printed.
    """
    before, started = _cpu(), time.perf_counter()
    with tempfile.TemporaryFile("w+", encoding="utf-8") as output:
        process = subprocess.Popen(command, cwd=cwd, env=environ, stdout=output, stderr=subprocess.STDOUT)
        ended = Event()
        with ThreadPoolExecutor(max_workers=1) as beside:
            looking = beside.submit(_highest, process.pid, ended)
            process.wait()
            seconds = time.perf_counter() - started
            ended.set()
            peak = looking.result()
        output.seek(0)
        printed = output.read()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {process.returncode}\n{printed}")
    return Measured(seconds, _cpu() - before, peak or None, printed)


def size(path: Path) -> int:
    """Bytes of a file, or of all files in a folder."""
    if path.is_file():
        return path.stat().st_size
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def clean_environment() -> dict[str, str]:
    """The environment without settings of a pipeline, so that nothing of another account is touched."""
    ours = ("SITOO_", "DAGSTER_", "WEEKLY_BALANCE_", "DELIVERIES_", "SAMESYSTEM_", "OMETRIA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[1])}


def _highest(pid: int, ended: Event) -> int:
    peak = 0
    while not ended.is_set():
        peak = max(peak, sum(map(_peak_memory, _tree(pid))))
        ended.wait(_EVERY)
    return peak


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _tree(pid: int) -> Iterator[int]:
    yield pid
    try:
        found = [child for file in Path(f"/proc/{pid}/task").glob("*/children") for child in file.read_text().split()]
    except OSError:  # it, or a thread of it, has ended meanwhile
        return
    for child in found:
        yield from _tree(int(child))


def _peak_memory(pid: int) -> int:
    """The most resident memory that the process ever had, by the kernel's own count (VmHWM)."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:")), 0)
