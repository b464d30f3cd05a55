"""The demo's account: its name and where its settings are, so that the UI can show it without any other settings."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sitoo_pipeline.settings.load import (
    CODE_URL_VARIABLE,
    DATA_DIR_VARIABLE,
    LOG_FORMAT_VARIABLE,
    Settings,
    load_settings,
)

DEMO_ACCOUNT = "demo"
SANDBOX_PORT = 8765
"""Where ``sitoo-pipeline sandbox`` listens unless told otherwise, and where the demo's account looks for Sitoo."""


def demo_data_dir(cwd: Path | str | None = None) -> Path:
    """The data folder that the demo uses: ``SITOO_PIPELINE_DATA_DIR``, else ``data`` in the working directory."""
    return Path(cwd or ".").absolute() / (os.environ.get(DATA_DIR_VARIABLE, "").strip() or "data")


def demo_settings(cwd: Path | str | None = None) -> Settings:
    """The settings that the last demo left behind; before the first demo, an account that nobody has loaded yet.

    Raises:
        SettingsError: what the demo left behind was edited and is wrong now.
    """
    data_dir = demo_data_dir(cwd)
    folder = data_dir / DEMO_ACCOUNT
    of_all = {name: os.environ.get(name, "") for name in (LOG_FORMAT_VARIABLE, CODE_URL_VARIABLE)}
    if (folder / ".env").exists():
        return load_settings(cwd=folder, environ=of_all)
    # The folder may not exist, and whatever settings lie in the working directory are not the demo's.
    return load_settings(
        cwd=folder,
        environ={
            **of_all,
            "SITOO_ACCOUNT": DEMO_ACCOUNT,
            "SITOO_BASE_URL": f"http://127.0.0.1:{SANDBOX_PORT}/v2/accounts/1500",
            "SITOO_API_ID": "1500-1",
            "SITOO_API_PASSWORD": "run-the-demo-first",
            "SITOO_START_DATE": (datetime.now(UTC).date() - timedelta(days=14)).isoformat(),
            DATA_DIR_VARIABLE: str(data_dir),
        },
    )
