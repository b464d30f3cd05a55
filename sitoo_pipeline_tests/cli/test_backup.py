"""``backup`` and ``restore``: what was there is there again, and nothing is overwritten or half restored."""

from __future__ import annotations

import hashlib
import json
import sqlite3
import tarfile
import threading
from contextlib import closing
from io import BytesIO
from pathlib import Path

import duckdb
import pytest

from sitoo_pipeline_tests.cli.project import DATES, Project
from sitoo_pipeline_tests.warehouse.holder import Holder

FIGURES = "SELECT * FROM marts.hourly_sales ORDER BY ALL"
RECORDS = "SELECT account, target, key, state, attempts FROM deliveries ORDER BY 1, 2, 3"


def home(project: Project) -> Path:
    return project.folder / "data" / "demo"


def figures(folder: Path, name: str = "warehouse.duckdb") -> list[object]:
    with duckdb.connect(str(folder / name), read_only=True) as con:
        return list(con.execute(FIGURES).fetchall())


def records(folder: Path) -> list[object]:
    with closing(sqlite3.connect(folder / "deliveries.db")) as con:
        return con.execute(RECORDS).fetchall()


def exports(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "exports").rglob("*.csv"))}


@pytest.fixture
def backed_up(copy: Project) -> Path:
    result = copy.invoke("backup", "--output", "b.tar")
    assert result.exit_code == 0, result.output
    assert "files of demo" in result.output
    return copy.folder / "b.tar"


def rewritten(backup: Path, **changes: bytes) -> None:
    """The same backup, with other contents of members; the manifest says what it said."""
    with tarfile.open(backup) as tar:
        kept = [
            (info, changes.get(Path(info.name).stem, file.read())) for info in tar if (file := tar.extractfile(info))
        ]
    with tarfile.open(backup, "w") as tar:
        for info, content in kept:
            info.size = len(content)
            tar.addfile(info, BytesIO(content))


def test_everything_is_there_again_on_another_machine(copy: Project, backed_up: Path) -> None:
    before = figures(home(copy)), records(home(copy)), exports(home(copy))
    assert all(before)
    home(copy).rename(copy.folder / "lost")
    result = copy.invoke("restore", "b.tar")
    assert (result.exit_code, "demo: restored as of" in result.output) == (0, True), result.output
    assert (figures(home(copy)), records(home(copy)), exports(home(copy))) == before
    assert figures(home(copy), "warehouse_read.duckdb") == before[0]
    assert copy.invoke("status").exit_code == 0
    left = {path.name for path in home(copy).rglob(".*")}
    assert left == {".warehouse_read.duckdb.json"}, "the note of the read copy, and nothing half done"
    assert (home(copy) / "deliveries.db").stat().st_mode & 0o077 == 0


def test_settings_secrets_and_what_can_be_had_again_are_not_in_it(copy: Project) -> None:
    (home(copy) / ".env").write_text("SECRET=canary-1\n")
    (home(copy) / "sitoo_pipeline.toml").write_text("# canary-2\n")
    assert copy.invoke("backup", "--output", "b.tar").exit_code == 0
    with tarfile.open(copy.folder / "b.tar") as tar:
        names = set(tar.getnames())
        assert {"manifest.json", "demo/warehouse.duckdb", "demo/deliveries.db", "demo/weekly_balance.db"} <= names
        assert any(name.startswith("demo/exports/") for name in names)
        assert not [name for name in names if "landing" in name or "_read" in name]
        whole = b"".join(file.read() for info in tar if (file := tar.extractfile(info)))
    password = next(line for line in (copy.folder / ".env").read_text().splitlines() if "SITOO_API_PASSWORD" in line)
    for secret in ("canary-1", "canary-2", password.partition("=")[2].split(",")[0]):
        assert secret.encode() not in whole
    assert (copy.folder / "b.tar").stat().st_mode & 0o077 == 0


def test_the_manifest_says_what_is_in_it(copy: Project) -> None:
    said = json.loads(copy.invoke("backup", "--output", "b.tar", "--json").stdout)
    with tarfile.open(copy.folder / "b.tar") as tar:
        for name, wanted in said["members"].items():
            file = tar.extractfile(name)
            assert file
            assert hashlib.sha256(file.read()).hexdigest() == wanted


def test_nothing_is_overwritten_without_force(copy: Project, backed_up: Path) -> None:
    assert copy.invoke("backup", "--output", "b.tar").exit_code == 1
    before = records(home(copy))
    with closing(sqlite3.connect(home(copy) / "deliveries.db")) as con, con:
        con.execute("DELETE FROM deliveries")
    (home(copy) / "warehouse.duckdb").write_bytes(b"what a broken disk left")
    refused = copy.invoke("restore", "b.tar")
    assert refused.exit_code == 1
    assert "would be overwritten" in refused.output
    assert "--force" in refused.output
    assert records(home(copy)) == []
    done = copy.invoke("restore", "b.tar", "--force")
    assert done.exit_code == 0, done.output
    assert records(home(copy)) == before
    assert copy.invoke("status").exit_code == 0


@pytest.mark.parametrize("damage", ["changed", "cut", "no backup", "newer"])
def test_a_backup_that_cannot_be_trusted_changes_nothing(damage: str, copy: Project, backed_up: Path) -> None:
    whole = backed_up.read_bytes()
    if damage == "changed":
        middle = whole.index(b"SQLite format 3") + 5000
        backed_up.write_bytes(whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :])
    elif damage == "cut":
        backed_up.write_bytes(whole[: len(whole) // 2])
    elif damage == "no backup":
        backed_up.write_bytes(b"something else")
    else:
        with tarfile.open(backed_up) as tar:
            file = tar.extractfile("manifest.json")
            assert file
            said = json.loads(file.read()) | {"schema_version": 99}
        rewritten(backed_up, manifest=json.dumps(said).encode())
    before = {path: path.read_bytes() for path in home(copy).rglob("*") if path.is_file()}
    result = copy.invoke("restore", "b.tar", "--force")
    assert result.exit_code == 1
    said_so = {"changed": "is damaged", "cut": "cut short", "no backup": "no backup", "newer": "schema version 99"}
    assert said_so[damage] in result.output
    assert {path: path.read_bytes() for path in home(copy).rglob("*") if path.is_file()} == before


def test_a_load_that_runs_is_waited_for(copy: Project) -> None:
    """In vain where it takes longer than ``lock_timeout``: then it is named, and there is no half backup."""
    with Holder(home(copy) / "warehouse.duckdb") as holder:
        released = threading.Timer(1.0, holder.close)
        released.start()
        result = copy.invoke("backup", "--output", "b.tar")
        released.join()
    assert result.exit_code == 0, result.output
    account = "[accounts.demo]\nbase_url = 'http://127.0.0.1:9/v2/accounts/1'\napi_id_env = 'SITOO_API_ID'\n"
    (copy.folder / "sitoo_pipeline.toml").write_text(
        f"{account}api_password_env = 'SITOO_API_PASSWORD'\nstart_date = {DATES[0]}\nlock_timeout = 0.2\n"
    )
    with Holder(home(copy) / "warehouse.duckdb"):
        for arguments in (["backup", "--output", "c.tar"], ["restore", "b.tar", "--force"]):
            refused = copy.invoke(*arguments)
            assert refused.exit_code == 1
            assert "Close it there and run again" in refused.output
    assert not [name for name in copy.files() if "c.tar" in name]


def test_an_account_that_the_settings_do_not_have_is_refused(copy: Project, backed_up: Path) -> None:
    env = copy.folder / ".env"
    env.write_text(env.read_text().replace("SITOO_ACCOUNT=demo", "SITOO_ACCOUNT=other"))
    result = copy.invoke("restore", "b.tar")
    assert result.exit_code == 1
    assert "holds the account demo, which the settings do not have" in result.output


def test_a_ledger_on_a_server_is_named_and_left_to_its_own_tools(copy: Project) -> None:
    with (copy.folder / ".env").open("a") as env:
        env.write("DELIVERIES_URL=postgresql://me:canary@127.0.0.1:9/ledger\n")
    result = copy.invoke("backup", "--output", "b.tar")
    assert result.exit_code == 0
    assert "demo: deliveries is in postgresql://me:***@127.0.0.1:9/ledger: back it up" in result.stderr
    assert "canary" not in result.output
