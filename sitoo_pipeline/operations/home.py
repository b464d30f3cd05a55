"""Dagster's home: where runs, schedules and events are remembered, below the data folder, with telemetry off."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import dagster as dg

DAGSTER_YAML = """\
# Written by sitoo-pipeline where there was none; edit it freely.
telemetry:
  enabled: false
nux:
  enabled: false
concurrency:
  runs:
    max_concurrent_runs: 1  # one warehouse file, and one request at a time per API user
run_monitoring:  # a run whose process is gone, as after a power cut, would hold up all others for ever
  enabled: true
  start_timeout_seconds: 300
  max_runtime_seconds: 14400
python_logs:
  managed_python_loggers: [sitoo_pipeline]  # retries and warnings of our own stand in the run's log
retention:  # of ticks; runs are removed by each account's retention job
  schedule:
    purge_after_days: 90
  sensor:
    purge_after_days:
      skipped: 7
      success: 90
      failure: 90
      started: 90
"""

WORKSPACE_YAML = """\
# Written by sitoo-pipeline. The location has the same name as in the project's own workspace.yaml, so that a schedule
# that is switched on in one is on in the other.
load_from:
  - python_module:
      module_name: sitoo_pipeline.definitions
      location_name: sitoo_pipeline
"""


def home_path(data_dir: Path) -> Path:
    """Where Dagster's home is: the folder that ``DAGSTER_HOME`` names, else ``dagster_home`` below the data folder."""
    return Path(os.environ.get("DAGSTER_HOME") or data_dir / "dagster_home").absolute()


def open_instance(home: Path) -> dg.DagsterInstance:
    """Dagster's instance for runs in this process.

    What steps print is not kept apart: Dagster would start four processes per run for that, which an interrupt from the
    terminal reaches as well, and the pipeline's steps print nothing.
    """
    import dagster as dg
    from dagster._core.instance import InstanceRef

    from sitoo_pipeline.operations.event_log import kept_open

    nothing = {"module": "dagster._core.storage.noop_compute_log_manager", "class": "NoOpComputeLogManager"}
    return dg.DagsterInstance.from_ref(kept_open(InstanceRef.from_dir(str(home), overrides={"compute_logs": nothing})))


def dagster_home(data_dir: Path) -> Path:
    """Dagster's home, made where it is missing.

    The environment variable is set for this process and its children, so that everything uses the same history.
    """
    home = home_path(data_dir)
    home.mkdir(parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        (home / "dagster.yaml").write_text(DAGSTER_YAML, encoding="utf-8")
    (home / "workspace.yaml").write_text(WORKSPACE_YAML, encoding="utf-8")
    os.environ["DAGSTER_HOME"] = str(home)
    return home
