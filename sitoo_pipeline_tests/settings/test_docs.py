"""What is written for users agrees with the code: every key, every variable, every default, both example files."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from sitoo_pipeline.settings import Account, load_settings
from sitoo_pipeline.settings.section import FileSecret, Section, file_keys, is_dictionary, section_of, variable_of
from sitoo_pipeline_tests.settings.support import ACCOUNT, CREDENTIALS, WEBHOOK_SECRET, faults, write

ROOT = Path(__file__).parents[2]
DOCS = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")


NAMES = {"stores": '"<store id>"', "webhooks": "<webhook>"}


def sections(section: type[Section] = Account, path: str = "accounts.<name>") -> Iterator[tuple[str, type[Section]]]:
    """Every table of the file, by the title that it has in the documentation."""
    yield path, section
    for key, (_, definition) in file_keys(section).items():
        inner = section_of(definition)
        if inner and is_dictionary(definition):
            yield from sections(inner, f"{path}.{key}.{NAMES[key]}")
        elif inner:
            yield from sections(inner, f"{path}.{key}")


def keys() -> list[tuple[str, str, FieldInfo]]:
    return [(path, key, of) for path, section in sections() for key, (_, of) in file_keys(section).items()]


def row(path: str, key: str) -> list[str]:
    """The cells of the documentation's line on a key, under the title of its table."""
    _, found, part = DOCS.partition(f"## `[{path}]`\n")
    assert found, f"no title for [{path}]"
    lines = [line for line in part.partition("\n## ")[0].splitlines() if line.startswith(f"| `{key}` |")]
    assert len(lines) == 1, f"{len(lines)} lines for {key} in [{path}]"
    return [cell.strip() for cell in lines[0].split("|")]


def documented() -> list[Any]:
    return [
        pytest.param(path, key, of, id=f"{path}.{key}") for path, key, of in keys() if path != "accounts.<name>.targets"
    ]


@pytest.mark.parametrize(("path", "key", "definition"), documented())
def test_every_key_is_documented_with_its_variable_and_default(path: str, key: str, definition: FieldInfo) -> None:
    cells = row(path, key)
    variable = variable_of(definition)
    if variable and not isinstance(variable, FileSecret):
        assert f"`{variable.name}`" in cells
    default = definition.default
    if definition.is_required():
        assert "required" in cells
    elif section_of(definition) is None and default is not None and not isinstance(default, SecretStr):
        value = to_jsonable_python(default)
        shown = f"{value:g}" if isinstance(value, float) else json.dumps(value)  # as TOML writes them too
        assert f"`{shown}`" in cells


def test_no_key_is_documented_that_does_not_exist() -> None:
    known = {key for _, key, _ in keys()} | {"data_dir", "log_format", "code_url", "accounts"}
    assert set(re.findall(r"^\| `([^`]+)` \|", DOCS, flags=re.MULTILINE)) <= known


def test_every_variable_is_in_the_example_of_the_environment() -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    offered = set(re.findall(r"^#?([A-Z_]+)=", example, flags=re.MULTILINE))
    fields = (of for _, section in sections() for of in section.model_fields.values())
    marks = [mark for mark in map(variable_of, fields) if mark and not isinstance(mark, FileSecret)]
    of_all = {f"SITOO_PIPELINE_{name}" for name in ("DATA_DIR", "LOG_FORMAT", "CODE_URL")}
    assert offered == {mark.name for mark in marks} | of_all


def test_the_example_of_the_environment_loads_once_the_password_is_filled_in(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    (tmp_path / ".env").write_text(example.replace("SITOO_API_PASSWORD=", "SITOO_API_PASSWORD=dummy"))
    settings = load_settings(tmp_path, {})
    assert settings.warnings == ()
    assert settings.accounts[0].users[0].password.get_secret_value() == "dummy"


def test_the_example_of_the_environment_loads_with_everything_switched_on(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    everything = re.sub(r"^#([A-Z_]+=)", r"\1", example, flags=re.MULTILINE)
    everything = re.sub(r"^([A-Z_]+(?:PASSWORD|KEY)=)$", r"\1dummy", everything, flags=re.MULTILINE)
    (tmp_path / ".env").write_text(everything)
    settings = load_settings(tmp_path, {})
    assert settings.warnings == ()
    assert settings.accounts[0].targets.ometria is not None
    assert settings.accounts[0].targets.samesystem is not None


@pytest.mark.parametrize("all_of_it", [False, True])
def test_the_example_file_loads(tmp_path: Path, all_of_it: bool) -> None:
    example = (ROOT / "sitoo_pipeline.example.toml").read_text(encoding="utf-8")
    if all_of_it:
        example = re.sub(r"^# (\[|[a-z_]+ = )", r"\1", example, flags=re.MULTILINE)
    (tmp_path / "sitoo_pipeline.toml").write_text(example)
    variables = set(re.findall(r'_env = "([A-Z_]+)"', example))
    environ = dict.fromkeys(variables, "dummy") | {
        "WEEKLY_BALANCE_URL": "sqlite:///balance.db",
        "WEBHOOK_SECRET": WEBHOOK_SECRET,
        "ALERT_WEBHOOK_URL": "https://example.com/hooks/1",
    }
    settings = load_settings(tmp_path, environ)
    assert settings.warnings == ()
    assert [account.name for account in settings.accounts] == (["main", "outlet"] if all_of_it else ["main"])
    assert (settings.accounts[0].targets.samesystem is not None) is all_of_it


def test_the_faults_shown_in_the_documentation_are_real(tmp_path: Path) -> None:
    write(
        tmp_path,
        ACCOUNT + 'timezone = "Europe/Stokholm"\n[accounts.main.targets.ometria]\napi_key_env = "OMETRIA_API_KEY"\n',
    )
    lines = faults(tmp_path, CREDENTIALS)
    assert len(lines) == 2
    assert set(lines) <= set(DOCS.splitlines())
