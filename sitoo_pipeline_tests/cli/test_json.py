"""What goes wrong is in the answer to another program too, and standard output has nothing else."""

from __future__ import annotations

import json

import pytest

from sitoo_pipeline.operations.status_report import status_as_json
from sitoo_pipeline_tests.cli.project import DATES, Project, completed


@pytest.fixture
def alone(project: Project) -> Project:
    """An account whose Sitoo does not answer, with nothing loaded."""
    project.write({
        "SITOO_BASE_URL": "http://127.0.0.1:9/v2/accounts/1500", "SITOO_API_ID": "1500-1", "SITOO_API_PASSWORD": "p",
        "SITOO_START_DATE": str(DATES[0]),
    })  # fmt: skip
    return project


def test_status_says_why_an_account_cannot_be_read(alone: Project) -> None:
    listed = json.loads(alone.invoke("status", "--json").stdout)
    folder = alone.folder / "data/sitoo"
    folder.mkdir(parents=True)
    (folder / "warehouse.duckdb").write_bytes(b"what a broken disk left")
    result = alone.invoke("status", "--json")
    assert result.exit_code == 1
    [unread] = json.loads(result.stdout)
    assert (unread["account"], unread["business_date"], unread["state"]) == ("sitoo", None, "unknown")
    assert unread["is_failure"] is True
    assert "warehouse.duckdb" in unread["trouble"]
    assert unread["trouble"] in result.stderr
    assert listed[0].keys() == unread.keys()
    assert {day["trouble"] for day in listed} == {None}


@pytest.mark.parametrize("verb", ["run", "backfill"])
def test_long_work_says_what_became_of_each_date(verb: str, alone: Project) -> None:
    first, last = map(str, DATES)
    period = ["--date", first] if verb == "run" else ["--from", first, "--to", last]
    result = alone.invoke(verb, *period, "--json")
    assert result.exit_code == 1
    [said] = json.loads(result.stdout)
    assert (said["account"], said["success"], said["done"]) == ("sitoo", False, [])
    assert list(said["failed"]) == ([first] if verb == "run" else [first, last])
    assert all("127.0.0.1:9" in why for why in said["failed"].values())


def test_no_account_is_an_empty_list() -> None:
    assert status_as_json([]) == []


def test_what_ends_a_verb_is_the_answer_too(alone: Project) -> None:
    for arguments, code in ((("prune", "--account", "other"), 2), (("backup", "--output", "."), 1)):
        result = alone.invoke(*arguments, "--json")
        assert result.exit_code == code
        assert json.loads(result.stdout) == {"error": result.stderr.strip(), "exit_code": code}
        assert alone.invoke(*arguments).stdout == ""
    (alone.folder / ".env").unlink()
    result = alone.invoke("status", "--json")
    assert json.loads(result.stdout)["error"].startswith("there are no settings yet")


def test_the_answer_is_there_also_where_the_whole_report_is_shown(
    alone: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("the row of a customer")

    monkeypatch.setattr("sitoo_pipeline.operations.pruning.prune", fails)
    for options in ((), ("--verbose",)):
        result = alone.invoke(*options, "prune", "--json")
        assert result.exit_code == 1
        answer = json.loads(result.stdout)
        assert answer["exit_code"] == 1
        assert answer["error"].startswith("unexpected RuntimeError")
        assert "customer" not in result.stdout


def test_with_a_log_of_json_both_outputs_are_for_programs(alone: Project) -> None:
    alone.environ = {"SITOO_PIPELINE_LOG_FORMAT": "json"}
    code, out, err = completed(alone.start("prune", "--json"))
    assert (code, json.loads(out)) == (0, {"sitoo": {"runs": 0, "bytes_given_back": 0}})
    lines = [json.loads(line) for line in err.splitlines()]
    assert {(line["account"], line["job"]) for line in lines} == {("sitoo", "sitoo_retention")}
    assert len({line["run_id"] for line in lines}) == 1
    assert lines[-1]["message"] == 'Finished execution of run for "sitoo_retention".'
    code, out, err = completed(alone.start("prune", "--account", "other", "--json"))
    assert code == 2
    line = json.loads(err)
    assert (line["level"], line["message"]) == ("error", json.loads(out)["error"])
