"""The whole of the settings: which source counts, all faults of it at once, and the warnings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, get_args
from urllib.parse import urlsplit

from pydantic import ValidationError

from sitoo_pipeline.settings.account import Account
from sitoo_pipeline.settings.cautions import doubled, misspelt, unencrypted, unread
from sitoo_pipeline.settings.errors import Fault, SettingsError
from sitoo_pipeline.settings.explain import explain
from sitoo_pipeline.settings.reading import Reading, dotted, read_table, read_variables, unknown_key
from sitoo_pipeline.settings.section import Section
from sitoo_pipeline.settings.sources import CONFIG_VARIABLE, find_file, parse_file, path_below, read_environment

DATA_DIR_VARIABLE = "SITOO_PIPELINE_DATA_DIR"
LOG_FORMAT_VARIABLE = "SITOO_PIPELINE_LOG_FORMAT"
CODE_URL_VARIABLE = "SITOO_PIPELINE_CODE_URL"
LogFormat = Literal["text", "json"]
_REQUIRED = ("SITOO_BASE_URL", "SITOO_API_ID", "SITOO_API_PASSWORD", "SITOO_START_DATE")
_NOT_CONFIGURED = (
    "there are no settings yet; either write sitoo_pipeline.toml here (sitoo_pipeline.example.toml is a start; "
    f"{CONFIG_VARIABLE} may name a file elsewhere), or set {', '.join(_REQUIRED)} in the environment or in .env "
    "(.env.example is a start). After 'sitoo-pipeline demo', 'sitoo-pipeline ui' shows the demo's account, and "
    "'sitoo-pipeline sandbox' prints the settings with which the other commands see it; put them into .env"
)


class Settings(Section):
    """Everything that was set.

    Attributes:
        data_dir: Absolute path of the folder that holds one folder per account.
        accounts: In the order of the file.
        warnings: What is allowed but perhaps not meant, one line each.
        log_format: How the log is written to standard error.
        code_url: Where a browser finds the files of this revision of the code; None to link files on this machine.
    """

    data_dir: Path
    accounts: tuple[Account, ...]
    warnings: tuple[str, ...] = ()
    log_format: LogFormat = "text"
    code_url: str | None = None

    def account_folder(self, account: Account) -> Path:
        """The folder of everything that is kept of an account."""
        return self.data_dir / account.name


def is_configured(cwd: Path | str | None = None, environ: Mapping[str, str] | None = None) -> bool:
    """Whether there are settings at all, right or wrong: a file, or an account in the environment."""
    folder = Path(cwd or ".").absolute()
    variables, faults = read_environment(cwd=folder, environ=environ)
    return bool(faults) or _has_account(variables) or find_file(cwd=folder, environ=variables) is not None


def load_settings(cwd: Path | str | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read and validate the settings.

    Args:
        cwd: The working directory, where `sitoo_pipeline.toml` and `.env` are looked for.
        environ: The environment; the process's own where it is left out.

    Raises:
        SettingsError: With every fault that was found. Nothing is changed anywhere.
    """
    folder = Path(cwd or ".").absolute()
    variables, faults = read_environment(cwd=folder, environ=environ)
    file = find_file(cwd=folder, environ=variables)
    readings: list[Reading] = []
    warnings: list[str] = []
    if file is not None:
        named = bool(variables.get(CONFIG_VARIABLE, "").strip())
        tables, fault = parse_file(file, named_by_variable=named)
        if fault:
            raise SettingsError([*faults, fault])
        data_dir = _data_dir(tables.get("data_dir", "data"), "data_dir", folder, faults)
        log_format = _log_format(variables, faults, tables.get("log_format", "text"))
        code_url = _code_url(variables, faults, tables.get("code_url", ""))
        readings = _read_accounts(tables, variables, faults)
        warnings += unread(variables, file=file, data_dir_variable=DATA_DIR_VARIABLE)
    elif _has_account(variables):
        data_dir = _data_dir(variables.get(DATA_DIR_VARIABLE, "").strip() or "data", DATA_DIR_VARIABLE, folder, faults)
        log_format = _log_format(variables, faults)
        code_url = _code_url(variables, faults)
        readings = [read_variables(variables)]
        known = [key.label for key in readings[0].keys.values()]
        of_all = (CONFIG_VARIABLE, DATA_DIR_VARIABLE, LOG_FORMAT_VARIABLE, CODE_URL_VARIABLE)
        warnings += misspelt(variables, [*known, *of_all])
    else:
        raise SettingsError([*faults, Fault(path="", message=_NOT_CONFIGURED)])

    accounts = []
    for reading in readings:
        faults += reading.faults.values()
        try:
            account = Account.model_validate(reading.values | {"folder": data_dir / str(reading.values["name"])})
        except ValidationError as error:
            faults += explain(error, reading)
        else:
            accounts.append(account)
            warnings += [*reading.warnings, *unencrypted(account, reading.keys)]
    if faults:
        raise SettingsError(faults)
    warnings += doubled(accounts)
    return Settings(
        data_dir=data_dir,
        accounts=tuple(accounts),
        warnings=tuple(warnings),
        log_format=log_format or "text",
        code_url=code_url,
    )


def _has_account(variables: Mapping[str, str]) -> bool:
    return any(variables.get(name, "").strip() for name in _REQUIRED)


def _data_dir(value: object, label: str, cwd: Path, faults: list[Fault]) -> Path:
    """The absolute data folder; a relative one is below the working directory."""
    if not isinstance(value, str) or not value.strip():
        faults.append(Fault(path=label, message='must be the path of a folder, in quotes, such as "data"'))
        return cwd / "data"
    path = path_below(cwd, value)
    if path.exists() and not path.is_dir():
        faults.append(Fault(path=label, message=f"{path} is a file; name a folder, which need not exist yet"))
    return path


def _log_format(variables: Mapping[str, str], faults: list[Fault], in_file: object = "text") -> LogFormat | None:
    """The variable goes before the file, so that a server can have it for all that it runs."""
    value = variables.get(LOG_FORMAT_VARIABLE, "").strip()
    label, said = (LOG_FORMAT_VARIABLE, value) if value else ("log_format", in_file)
    for known in get_args(LogFormat):
        if said == known:
            return known  # type: ignore[no-any-return]  # one of the literals
    faults.append(Fault(path=label, message=f'must be "text" or "json", not {said!r}'))
    return None


def _code_url(variables: Mapping[str, str], faults: list[Fault], in_file: object = "") -> str | None:
    """The variable goes before the file, so that whoever installs a revision can name it."""
    value = variables.get(CODE_URL_VARIABLE, "").strip()
    label, said = (CODE_URL_VARIABLE, value) if value else ("code_url", in_file)
    if said == "":
        return None
    if not isinstance(said, str) or not _is_place_for_browsers(said):
        example = "https://github.com/example/sitoo_pipeline/blob/v0.1.0"
        faults.append(Fault(path=label, message=f"must be where a browser finds the files, such as {example}"))
        return None
    return said.rstrip("/")


def _is_place_for_browsers(url: str) -> bool:
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc  # all see it


def _read_accounts(tables: Mapping[str, Any], variables: Mapping[str, str], faults: list[Fault]) -> list[Reading]:
    """Read the accounts of the file; faults of its top level are added to `faults`."""
    known = ["data_dir", "log_format", "code_url", "accounts"]
    faults += [unknown_key(dotted(key), key, known) for key in tables if key not in known]
    accounts = tables.get("accounts", {})
    if not isinstance(accounts, dict) or not accounts:
        faults.append(Fault(path="accounts", message="must hold at least one account, as a table [accounts.<name>]"))
        return []
    readings = []
    for name, table in accounts.items():
        if isinstance(table, dict):
            reading = read_table(table, name=name, environ=variables)
            reading.values["name"] = name
            readings.append(reading)
        else:
            message = f"must be a table, [accounts.{name}]; settings of an account stand in its table"
            faults.append(Fault(path=dotted("accounts", name), message=message))
    return readings
