"""What the code location shows: a snapshot of the graph, and what every asset says of itself.

To accept a change of the graph, run these tests with ``SITOO_PIPELINE_SNAPSHOT=write`` and look at the difference.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.freshness import CronFreshnessPolicy, TimeWindowFreshnessPolicy

from sitoo_pipeline.definitions import build_defs
from sitoo_pipeline.settings.visitors import Visitors
from sitoo_pipeline.tables import ALL_TABLES
from sitoo_pipeline_tests.pipeline.project import Project
from sitoo_pipeline_tests.sinks.webhook_receiver import SECRET as HOOK

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).with_name("graph.json")
SECRET, KEY = "a-password-of-the-tests", "an-api-key-of-the-tests"
TABLES = {(table.layer, table.name): table for table in ALL_TABLES}

MORE = """
[accounts.kedjan.targets.ometria]
api_key_env = "OMETRIA_KEY"
[accounts.outlet]
base_url = "http://127.0.0.1:9/v2/accounts/1600"
api_id_env = "KEDJAN_ID"
api_password_env = "KEDJAN_PASSWORD"
start_date = 2026-06-01
timezone = "Europe/Helsinki"
ready_by = "06:30"
visitors = { metric = "cm_visitors" }
[accounts.outlet.targets.samesystem]
base_url = "http://127.0.0.1:9/samesystem"
email = "pos-api@example.com"
password_env = "SAMESYSTEM_SECRET"
[accounts.outlet.targets.weekly_balance_mail]
host = "127.0.0.1"
sender = "pipeline@example.com"
recipients = ["import@example.com"]
[accounts.outlet.targets.webhooks.planning]
url = "http://127.0.0.1:9/hook"
secret_env = "HOOK_SECRET"
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder = tmp_path_factory.mktemp("definitions")
    return Project.make(
        folder,
        None,
        start_date=date(2026, 1, 1),
        more=MORE,
        environ={"OMETRIA_KEY": KEY, "SAMESYSTEM_SECRET": SECRET, "HOOK_SECRET": HOOK},
    )


@pytest.fixture(scope="module")
def defs(project: Project) -> dg.Definitions:
    """Two accounts side by side."""
    return build_defs(project.settings)


def fresh(policy: dg.FreshnessPolicy | None) -> dict[str, str]:
    """By when an asset is to be made."""
    if isinstance(policy, CronFreshnessPolicy):
        return {"fresh": f"{policy.deadline_cron} {policy.timezone}, from {policy.lower_bound_delta} before"}
    return {"fresh": f"{policy.fail_window.to_timedelta()}"} if isinstance(policy, TimeWindowFreshnessPolicy) else {}


def graph(defs: dg.Definitions) -> dict[str, Any]:
    assets = defs.resolve_asset_graph()
    repository = defs.get_repository_def()
    nodes = {
        key.to_user_string(): {
            "deps": sorted(parent.to_user_string() for parent in assets.get(key).parent_keys),
            "group": assets.get(key).group_name,
            "partitioned": assets.get(key).is_partitioned,
            **fresh(assets.get(key).freshness_policy),
        }
        for key in assets.get_all_asset_keys()
    }
    return {
        "assets": dict(sorted(nodes.items())),
        "checks": sorted(f"{check.asset_key.to_user_string()}:{check.name}" for check in assets.asset_check_keys),
        "jobs": sorted(job.name for job in repository.get_all_jobs() if not job.name.startswith("__")),
        "schedules": {
            schedule.name: [schedule.cron_schedule, schedule.execution_timezone, schedule.default_status.value]
            for schedule in sorted(repository.schedule_defs, key=lambda each: each.name)
        },
    }


def test_the_graph_is_the_one_that_is_known(defs: dg.Definitions) -> None:
    found = graph(defs)
    if os.environ.get("SITOO_PIPELINE_SNAPSHOT") == "write":
        SNAPSHOT.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    assert found == json.loads(SNAPSHOT.read_text(encoding="utf-8"))


def test_all_schedules_are_stopped_until_someone_turns_them_on(defs: dg.Definitions) -> None:
    assert {status for *_, status in graph(defs)["schedules"].values()} == {"STOPPED"}


def test_accounts_share_nothing(defs: dg.Definitions) -> None:
    nodes = graph(defs)["assets"]
    assert {key.partition("/")[0] for key in nodes} == {"kedjan", "outlet"}
    for key, node in nodes.items():
        account = key.partition("/")[0]
        assert node["group"].startswith(f"{account}_")
        assert all(dep.startswith(f"{account}/") for dep in node["deps"])
    zones = {spec.partitions_def.timezone for spec in specs(defs) if spec.partitions_def}  # type: ignore[attr-defined]
    assert zones == {"Europe/Stockholm", "Europe/Helsinki"}


def specs(defs: dg.Definitions) -> list[dg.AssetSpec]:
    return list(defs.resolve_all_asset_specs())


def test_every_asset_says_what_it_is(defs: dg.Definitions) -> None:
    for spec in specs(defs):
        key = spec.key.to_user_string()
        account, layer, name = spec.key.path
        assert spec.description, key
        assert spec.group_name in (f"{account}_{layer}", f"{account}_reference"), key
        assert spec.kinds, key
        assert spec.owners == ["team:retail-data"] or layer == "sitoo", key
        if (layer, name) in TABLES:
            table = TABLES[layer, name]
            schema = spec.metadata["dagster/column_schema"]
            columns = schema if isinstance(schema, dg.TableSchema) else schema.schema
            assert [column.name for column in columns.columns] == [column.name for column in table.all_columns], key
            assert all(column.type and column.description for column in columns.columns), key
            assert spec.metadata["dagster/table_name"] == f"{layer}.{name}"
            assert (spec.partitions_def is not None) == (table.partition is not None), key


def code_of(spec: dg.AssetSpec) -> list[Any]:
    return list(spec.metadata["dagster/code_references"].code_references)


def line_at(file: Path, number: int) -> str:
    return file.read_text(encoding="utf-8").splitlines()[number - 1]


def test_every_asset_leads_to_its_code(defs: dg.Definitions, project: Project) -> None:
    for spec in specs(defs):
        key = spec.key.to_user_string()
        files = {reference.label: Path(reference.file_path) for reference in code_of(spec)}
        assert all(file.is_file() for file in files.values()), key
        lines = [line_at(Path(one.file_path), one.line_number) for one in code_of(spec)]
        _, layer, name = spec.key.path
        if layer in ("core", "marts", "raw"):
            assert f'"{name}"' in lines[-1] or name in lines[-1].lower(), (key, lines)
            assert files["the columns"].parent.name == "tables", key
        if (rule := files.get("the computation")) is not None:
            assert rule.parent.name == "transforms", key
            assert lines[0].startswith("def "), key
        if layer == "sinks":
            assert files["the delivery"].stem in name, key
    marts = [spec for spec in specs(defs) if spec.key.path[1] == "marts"]
    assert all("the computation" in {one.label for one in code_of(spec)} for spec in marts)
    elsewhere = build_defs(project.settings.model_copy(update={"code_url": "https://git.example/pipeline/blob/v1"}))
    daily = next(spec for spec in specs(elsewhere) if spec.key.path[1:] == ["marts", "daily_sales"])
    assert code_of(daily)[0].url.startswith("https://git.example/pipeline/blob/v1/sitoo_pipeline/transforms/sales.py#L")


def test_visitors_from_files_lead_to_what_reads_them(project: Project) -> None:
    account = project.settings.accounts[0].model_copy(update={"visitors": Visitors(folder="counted")})
    defs = build_defs(project.settings.model_copy(update={"accounts": (account,)}))
    found = {spec.key.path[1]: code_of(spec)[0].file_path for spec in specs(defs) if spec.key.path[-1] == "visitors"}
    assert {layer: "/".join(Path(file).parts[-2:]) for layer, file in found.items()} == {
        "files": "assets/visitor_sources.py",
        "raw": "assets/visitors.py",
        "core": "transforms/visitors.py",
    }


def test_every_list_of_sitoo_leads_to_its_documentation(defs: dg.Definitions) -> None:
    found = {tuple(spec.key.path[1:]): spec.metadata for spec in specs(defs)}
    for (layer, name), metadata in found.items():
        if layer in ("sitoo", "raw"):
            url = metadata["documentation"].url
            assert re.fullmatch(r"https://developer\.sitoo\.com/(introduction|api-reference/[a-z-]+)", url), name
            source = "custom_metric_values" if name == "visitors" else name
            assert url == found["sitoo", source]["documentation"].url


def test_columns_are_made_from_columns_of_the_assets_before_theirs(defs: dg.Definitions) -> None:
    found = {spec.key: spec for spec in specs(defs)}
    columns = {key: {column.name for column in said.columns} for key in found if (said := schema_of(found[key]))}
    told = 0
    for spec in found.values():
        lineage = spec.metadata.get("dagster/column_lineage")
        for name, made_from in lineage.deps_by_column.items() if lineage else ():
            told += 1
            assert name in columns[spec.key]
            for dep in made_from:
                assert dep.column_name in columns[dep.asset_key]
                # What is made together with it is in the same step: it is not before it, and what that reads is.
                assert dep.asset_key in {before.asset_key for before in spec.deps}, (spec.key, name, dep)
    assert told > 300


def schema_of(spec: dg.AssetSpec) -> dg.TableSchema | None:
    schema = spec.metadata.get("dagster/column_schema")
    return getattr(schema, "schema", schema)


def test_every_table_of_the_contract_is_an_asset(defs: dg.Definitions) -> None:
    found = {tuple(spec.key.path[1:]) for spec in specs(defs)}
    assert {key for key in TABLES if key[0] in ("core", "marts")} <= found


def test_no_secret_shows(project: Project, defs: dg.Definitions) -> None:
    shown = [repr(project.settings), repr(project.runtime), repr(defs), json.dumps(graph(defs))]
    shown += [repr(spec) for spec in specs(defs)]
    shown += [repr(job.tags) + str(job.description) for job in defs.get_repository_def().get_all_jobs()]
    assert not [text for text in shown if SECRET in text or KEY in text or HOOK in text]


def test_dagster_loads_the_workspace(tmp_path: Path) -> None:
    """Without settings, as in a fresh clone."""
    mine = ("SITOO_", "DAGSTER_", "OMETRIA_", "WEEKLY_BALANCE_")
    environ = {name: value for name, value in os.environ.items() if not name.startswith(mine)}
    (tmp_path / "workspace.yaml").write_bytes((ROOT / "workspace.yaml").read_bytes())
    found = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=tmp_path,
        env=environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 0, found.stderr
    assert "Validation successful for code location sitoo_pipeline" in found.stdout + found.stderr
