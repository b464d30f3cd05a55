"""``python -m benchmarks.poll hour``: one poll as its schedule makes it, and which dates it found."""

from __future__ import annotations

import json
import sys

from sitoo_pipeline.operations.running import at_work
from sitoo_pipeline.settings import load_settings


def main() -> None:
    settings = load_settings()
    found: set[str] = set()
    for _, execution in at_work(settings, [one.name for one in settings.accounts], trigger="poll", verbose=False):
        found |= {day.isoformat() for day in execution.poll(sys.argv[1:])}
    print(json.dumps(sorted(found)))


if __name__ == "__main__":
    main()
