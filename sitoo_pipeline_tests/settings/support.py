"""The smallest settings that are right, in both forms, and the faults of settings that are not."""

import base64
from collections.abc import Mapping
from pathlib import Path

import pytest

from sitoo_pipeline.settings import SettingsError, load_settings

ENVIRON = {
    "SITOO_BASE_URL": "https://api.mysitoo.com/v2/accounts/1500",
    "SITOO_API_ID": "1500-12",
    "SITOO_API_PASSWORD": "first-secret",
    "SITOO_START_DATE": "2024-01-01",
}

ACCOUNT = """
[accounts.main]
base_url = "https://api.mysitoo.com/v2/accounts/1500"
api_id_env = "SITOO_API_ID"
api_password_env = "SITOO_API_PASSWORD"
start_date = 2024-01-01
"""

CREDENTIALS = {"SITOO_API_ID": "1500-12", "SITOO_API_PASSWORD": "first-secret"}

WEBHOOK_SECRET = "whsec_" + base64.b64encode(bytes(range(32))).decode()


def write(folder: Path, text: str, *, name: str = "sitoo_pipeline.toml") -> None:
    (folder / name).write_text(text, encoding="utf-8")


def faults(folder: Path, environ: Mapping[str, str]) -> list[str]:
    """The lines that the user is shown."""
    with pytest.raises(SettingsError) as raised:
        load_settings(folder, environ)
    lines = str(raised.value).splitlines()
    assert lines == [str(fault) for fault in raised.value.faults]
    return lines
