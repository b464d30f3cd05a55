import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from pydantic import ValidationError

from sitoo_pipeline.settings import Ometria, SettingsError, load_settings
from sitoo_pipeline_tests.settings.support import ENVIRON, write

SECRET = "hush5ecret"
EVERY_SECRET = {
    "SITOO_API_PASSWORD": SECRET,
    "WEEKLY_BALANCE_URL": f"postgresql+psycopg://u:{SECRET}@db/balance",
    "DELIVERIES_URL": f"postgresql+psycopg://u:{SECRET}@db/ledger",
    "OMETRIA_API_KEY": SECRET,
    "SAMESYSTEM_BASE_URL": "https://in.samesystem.com/api/v1",
    "SAMESYSTEM_EMAIL": "pos@example.com",
    "SAMESYSTEM_PASSWORD": SECRET,
}


def test_no_secret_in_str_repr_or_json(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, ENVIRON | EVERY_SECRET)
    (account,) = settings.accounts
    shown = [settings, account, account.users, account.targets, account.deliveries_url, settings.model_dump()]
    for each in shown:
        assert SECRET not in str(each)
        assert SECRET not in repr(each)
    assert SECRET not in settings.model_dump_json()


@pytest.mark.parametrize(
    "wrong",
    [
        {"SITOO_API_PASSWORD": f"{SECRET},{SECRET}"},
        {"SITOO_API_ID": f"1500-12:{SECRET}"},
        {"SITOO_BASE_URL": f"https://u:{SECRET}@host/accounts/1"},
        {"SITOO_BASE_URL": f"https://u:{SECRET}@host/accounts/1 "},
        {"SITOO_BASE_URL": f"https://host/accounts/1?key={SECRET}"},
        {"OMETRIA_API_KEY": "k", "OMETRIA_BASE_URL": f"https://{SECRET}:x@host"},
        {"WEEKLY_BALANCE_URL": SECRET},
        {"DELIVERIES_URL": f"postgres://u:{SECRET}@db/ledger"},
    ],
)
def test_no_wrong_secret_in_a_fault_or_its_traceback(tmp_path: Path, wrong: dict[str, str]) -> None:
    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path, ENVIRON | wrong)
    assert raised.value.faults
    assert SECRET not in "".join(traceback.format_exception(raised.value))
    assert SECRET not in repr(raised.value)


@pytest.mark.parametrize(
    "line",
    [
        f'api_password = "{SECRET}"',
        f'api_password_env = "{SECRET}"',
        f'password = "{SECRET}"',
        f'targets.ometria.api_key = "{SECRET}"',
        f'targets.ometria.api_key_env = "{SECRET}"',
        f'targets.ometria = "{SECRET * 8}"',
        f'api_password_env = ["{SECRET}"]',
    ],
)
def test_no_secret_that_was_put_into_the_file(tmp_path: Path, line: str) -> None:
    write(tmp_path, f"[accounts.main]\n{line}\n")
    with pytest.raises(SettingsError) as raised:
        load_settings(tmp_path, {})
    assert SECRET not in "".join(traceback.format_exception(raised.value))


def test_models_built_by_hand_hide_what_was_wrong() -> None:
    with pytest.raises(ValidationError) as raised:
        Ometria.model_validate({"api_key": [SECRET], "colour": SECRET})
    assert SECRET not in str(raised.value)


def test_settings_do_not_change(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, ENVIRON)
    with pytest.raises(ValidationError):
        settings.accounts[0].timezone = "Europe/Oslo"


def test_importing_settings_is_light() -> None:
    heavy = ["polars", "dagster", "duckdb", "sqlalchemy", "pandera", "httpx", "pyarrow"]
    program = f"import sys, sitoo_pipeline.settings; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
