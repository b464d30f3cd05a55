from datetime import date
from pathlib import Path

import pytest

from sitoo_pipeline.settings import SettingsError, is_configured, load_settings
from sitoo_pipeline_tests.settings.support import ACCOUNT, CREDENTIALS, ENVIRON, faults, write


def test_four_variables_make_an_account(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, ENVIRON)

    (account,) = settings.accounts
    assert settings.data_dir == tmp_path / "data"
    assert settings.warnings == ()
    assert account.name == "sitoo"
    assert account.base_url == "https://api.mysitoo.com/v2/accounts/1500"
    assert account.timezone == "Europe/Stockholm"
    assert account.start_date == date(2024, 1, 1)
    assert [(user.api_id, user.password.get_secret_value()) for user in account.users] == [("1500-12", "first-secret")]
    assert account.targets.ometria is None
    assert account.targets.samesystem is None


def test_everything_of_an_account_is_in_its_folder(tmp_path: Path) -> None:
    settings = load_settings(tmp_path, ENVIRON | {"SITOO_ACCOUNT": "nordic", "SITOO_PIPELINE_DATA_DIR": "kept/here"})

    (account,) = settings.accounts
    folder = tmp_path / "kept" / "here" / "nordic"
    assert settings.account_folder(account) == account.folder == folder
    assert account.warehouse_path == folder / "warehouse.duckdb"
    assert account.read_copy_path == folder / "warehouse_read.duckdb"
    assert account.landing_folder == folder / "landing"
    assert account.exports_folder == folder / "exports"
    assert account.targets.weekly_balance_sql.url.get_secret_value() == f"sqlite:///{folder}/weekly_balance.db"
    assert account.deliveries_url.get_secret_value() == f"sqlite:///{folder}/deliveries.db"
    assert list(tmp_path.iterdir()) == [], "reading settings creates nothing"


def test_an_absolute_data_folder_is_kept(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    assert load_settings("/", ENVIRON | {"SITOO_PIPELINE_DATA_DIR": str(elsewhere)}).data_dir == elsewhere


def test_databases_are_named_by_url(tmp_path: Path) -> None:
    urls = {
        "WEEKLY_BALANCE_URL": "postgresql+psycopg://u:p@db/balance",
        "DELIVERIES_URL": "postgresql+psycopg://u:p@db/ledger",
    }
    (account,) = load_settings(tmp_path, ENVIRON | urls).accounts
    assert account.targets.weekly_balance_sql.url.get_secret_value() == urls["WEEKLY_BALANCE_URL"]
    assert account.deliveries_url.get_secret_value() == urls["DELIVERIES_URL"]


def test_several_api_users_keep_their_order(tmp_path: Path) -> None:
    lists = {"SITOO_API_ID": "1500-12, 1500-13", "SITOO_API_PASSWORD": "first-secret , second-secret\n"}
    (account,) = load_settings(tmp_path, ENVIRON | lists).accounts
    users = [(user.api_id, user.password.get_secret_value()) for user in account.users]
    assert users == [("1500-12", "first-secret"), ("1500-13", "second-secret")]


def test_targets_are_switched_on_by_their_variables(tmp_path: Path) -> None:
    (account,) = load_settings(
        tmp_path,
        ENVIRON
        | {
            "OMETRIA_API_KEY": "key-secret",
            "SAMESYSTEM_BASE_URL": "https://in.samesystem.com/api/v1/",
            "SAMESYSTEM_EMAIL": "pos@example.com",
            "SAMESYSTEM_PASSWORD": "third-secret",
            "SAMESYSTEM_CONFIRM": "false",
        },
    ).accounts
    ometria, samesystem = account.targets.ometria, account.targets.samesystem
    assert ometria is not None
    assert ometria.base_url == "https://api.ometria.com/v2"
    assert ometria.api_key.get_secret_value() == "key-secret"
    assert samesystem is not None
    assert samesystem.base_url == "https://in.samesystem.com/api/v1"
    assert samesystem.password.get_secret_value() == "third-secret"
    assert (samesystem.confirm, samesystem.overwrite_approved) == (False, True)


def test_empty_variables_count_as_absent(tmp_path: Path) -> None:
    empty = {"SITOO_TIMEZONE": "", "SITOO_ACCOUNT": " ", "OMETRIA_API_KEY": "", "WEEKLY_BALANCE_URL": ""}
    assert load_settings(tmp_path, ENVIRON | empty) == load_settings(tmp_path, ENVIRON)


def test_dotenv_fills_in_what_the_environment_lacks(tmp_path: Path) -> None:
    write(
        tmp_path,
        "# ours\nSITOO_TIMEZONE=Europe/Oslo\nSITOO_API_PASSWORD='p#ss ${HOME} $1'\nSITOO_API_ID=\"1500-99\"\n",
        name=".env",
    )
    real = {name: ENVIRON[name] for name in ("SITOO_BASE_URL", "SITOO_START_DATE", "SITOO_API_ID")}

    (account,) = load_settings(tmp_path, real).accounts

    assert account.timezone == "Europe/Oslo"
    assert [user.api_id for user in account.users] == ["1500-12"], "the real environment wins"
    assert account.users[0].password.get_secret_value() == "p#ss ${HOME} $1", "nothing is filled in"


def test_the_process_environment_and_folder_are_the_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SITOO_PIPELINE_CONFIG", raising=False)
    for name, value in ENVIRON.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("SITOO_ACCOUNT", "from_process")
    settings = load_settings()
    assert settings.accounts[0].folder == tmp_path / "data" / "from_process"
    assert is_configured()


def test_dotenv_may_name_the_file(tmp_path: Path) -> None:
    write(tmp_path, ACCOUNT, name="other.toml")
    write(tmp_path, "SITOO_PIPELINE_CONFIG=other.toml\n", name=".env")
    assert [account.name for account in load_settings(tmp_path, CREDENTIALS).accounts] == ["main"]


def test_a_dotenv_line_that_is_none_is_named_with_the_other_faults(tmp_path: Path) -> None:
    write(tmp_path, "\nSITOO_TIMEZONE=Mars\nSITOO_ACCOUNT='half\n", name=".env")
    assert faults(tmp_path, ENVIRON) == [
        ".env line 3: is no NAME=value; put a value with spaces or quotes in it between quotes",
        "SITOO_TIMEZONE: 'Mars' is no known time zone; take an IANA name such as Europe/Stockholm",
    ]


def test_nothing_configured_tells_both_ways(tmp_path: Path) -> None:
    environ = {"PATH": "/bin", "SITOO_TIMEZONE": "Europe/Oslo", "SITOO_BASE_URL": ""}
    assert not is_configured(tmp_path, environ)
    (line,) = faults(tmp_path, environ)
    assert line == (
        "there are no settings yet; either write sitoo_pipeline.toml here (sitoo_pipeline.example.toml is a start; "
        "SITOO_PIPELINE_CONFIG may name a file elsewhere), or set SITOO_BASE_URL, SITOO_API_ID, SITOO_API_PASSWORD, "
        "SITOO_START_DATE in the environment or in .env (.env.example is a start). After 'sitoo-pipeline demo', "
        "'sitoo-pipeline ui' shows the demo's account, and 'sitoo-pipeline sandbox' prints the settings with which the "
        "other commands see it; put them into .env"
    )


@pytest.mark.parametrize("name", sorted(ENVIRON))
def test_any_required_variable_begins_a_configuration(tmp_path: Path, name: str) -> None:
    assert is_configured(tmp_path, {name: "x"})
    missing = {line.split(":")[0] for line in faults(tmp_path, {name: ENVIRON[name]})}
    assert missing == set(ENVIRON) - {name}


def test_a_file_is_a_configuration(tmp_path: Path) -> None:
    assert is_configured(tmp_path, {"SITOO_PIPELINE_CONFIG": "gone.toml"})
    write(tmp_path, "")
    assert is_configured(tmp_path, {})


def test_warnings_stop_nothing(tmp_path: Path) -> None:
    settings = load_settings(
        tmp_path,
        ENVIRON
        | {
            "SITOO_BASE_URL": "http://till.example.com/v2/accounts/1500",
            "SITOO_TIME_ZONE": "Europe/Oslo",
            "SITOO_TILL_COLOUR": "green",
            "SAMESYSTEM_CONFIRM": "true",
        },
    )
    assert settings.accounts[0].timezone == "Europe/Stockholm"
    assert settings.warnings == (
        "SITOO_TIME_ZONE: is not read; did you mean SITOO_TIMEZONE?",
        "SAMESYSTEM_CONFIRM: has no effect, samesystem is off; "
        "SAMESYSTEM_BASE_URL and SAMESYSTEM_EMAIL and SAMESYSTEM_PASSWORD would switch it on",
        "SITOO_BASE_URL: http:// sends credentials and customers' data unencrypted; use https://",
    )


@pytest.mark.parametrize("host", ["127.0.0.1:8123", "localhost", "[::1]:80", "127.9.9.9"])
def test_loopback_may_be_unencrypted(tmp_path: Path, host: str) -> None:
    settings = load_settings(tmp_path, ENVIRON | {"SITOO_BASE_URL": f"http://{host}/v2/accounts/1500/"})
    assert settings.warnings == ()
    assert settings.accounts[0].base_url == f"http://{host}/v2/accounts/1500"


def test_the_variable_of_the_code_goes_before_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'code_url = "https://git.example/pipeline/blob/v1/"' + ACCOUNT)
    variable = {"SITOO_PIPELINE_CODE_URL": "https://git.example/pipeline/blob/v2"}
    assert load_settings(tmp_path, CREDENTIALS).code_url == "https://git.example/pipeline/blob/v1"
    assert load_settings(tmp_path, CREDENTIALS | variable).code_url == "https://git.example/pipeline/blob/v2"
    (tmp_path / "sitoo_pipeline.toml").unlink()
    assert load_settings(tmp_path, ENVIRON).code_url is None
    assert load_settings(tmp_path, ENVIRON | variable).warnings == ()
    for wrong in ("git@git.example:pipeline", "https://[git.example", "https://user:a-token@git.example/pipeline"):
        with pytest.raises(SettingsError, match="SITOO_PIPELINE_CODE_URL: must be where a browser finds the files"):
            load_settings(tmp_path, ENVIRON | {"SITOO_PIPELINE_CODE_URL": wrong})


def test_the_variable_of_the_log_goes_before_the_file(tmp_path: Path) -> None:
    write(tmp_path, 'log_format = "text"' + ACCOUNT)
    variable = {"SITOO_PIPELINE_LOG_FORMAT": "json"}
    assert load_settings(tmp_path, CREDENTIALS).log_format == "text"
    assert load_settings(tmp_path, CREDENTIALS | variable).log_format == "json"
    assert load_settings(tmp_path, CREDENTIALS | variable).warnings == ()
    (tmp_path / "sitoo_pipeline.toml").unlink()
    assert load_settings(tmp_path, ENVIRON | variable).log_format == "json"
    with pytest.raises(SettingsError, match='SITOO_PIPELINE_LOG_FORMAT: must be "text" or "json", not \'xml\''):
        load_settings(tmp_path, ENVIRON | {"SITOO_PIPELINE_LOG_FORMAT": "xml"})
