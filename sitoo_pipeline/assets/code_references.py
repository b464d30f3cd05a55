"""Where the code behind an asset is: the rule that computes a table, its columns, a target's way, as links in the UI.

Dagster's own helper would name the factory that makes the asset, which is the same for every table.
"""

import warnings
from collections.abc import Callable, Iterable
from inspect import getfile, getsourcelines
from pathlib import Path
from types import FunctionType

import dagster as dg

from sitoo_pipeline import transforms
from sitoo_pipeline.tables import ALL_TABLES, Table, raw
from sitoo_pipeline.transforms.z_report_orders import z_report_orders

PACKAGE = Path(__file__).parents[1]
_TABLES = {(table.layer, table.name): table for table in ALL_TABLES}
_RULES: dict[str, Callable[..., object]] = {
    **{name: rule for name, rule in vars(transforms).items() if isinstance(rule, FunctionType)},
    "z_report_reconciliation": transforms.reconcile,
    "z_report_orders": z_report_orders,
}
"""What computes a table, by its name: a transform is called as the table that it makes."""

_Place = tuple[str, int, str]
"""A file of the package, a line in it, and what is there."""


def with_code(
    assets: Iterable[dg.AssetsDefinition | dg.AssetSpec], code_url: str | None
) -> list[dg.AssetsDefinition | dg.AssetSpec]:
    """The same assets, each with links to its code.

    Args:
        assets: Those of an account, their keys ``[account, layer, name]``.
        code_url: Where a browser finds the files of this revision; files on this machine without it.
    """

    def linked(spec: dg.AssetSpec) -> dg.AssetSpec:
        _, layer, name = spec.key.path
        said = dg.CodeReferencesMetadataValue(
            code_references=[_reference(place, code_url) for place in _places(layer, name)]
        )
        return spec.merge_attributes(metadata={"dagster/code_references": said})

    with warnings.catch_warnings():
        # Used on purpose; a test pins what they say.
        warnings.filterwarnings("ignore", message=".*CodeReference", category=dg.BetaWarning)
        return list(dg.map_asset_specs(linked, list(assets)))


def _reference(place: _Place, code_url: str | None) -> dg.LocalFileCodeReference | dg.UrlCodeReference:
    file, line, label = place
    if code_url:
        return dg.UrlCodeReference(url=f"{code_url}/{PACKAGE.name}/{file}#L{line}", label=label)
    return dg.LocalFileCodeReference(file_path=str(PACKAGE / file), line_number=line, label=label)


def _places(layer: str, name: str) -> list[_Place]:
    table = _TABLES.get((layer, name))
    if table is not None:
        rule = _RULES.get(name) if layer in ("core", "marts") else None
        step = "visitors" if table is raw.VISITORS else layer
        computed = [_at(rule)] if rule else [(f"assets/{step}.py", 1, "the step")]
        return [*computed, _declared(table)]
    if layer == "sitoo":
        return [_named(f'name="{name}"', "sitoo/resources.py", "the request")]
    if layer == "files":
        return [_named("def _read_files", "assets/visitor_sources.py", "the reading")]
    if layer == "sinks":
        module = f"sinks/{name}.py"
        own = module if (PACKAGE / module).exists() else f"sinks/{name.partition('_')[0]}.py"
        return [(own, 1, "the delivery")]
    if layer == "changes":
        return [_named(f'"{name}"', "assets/polls.py", "the poll")]
    return [("assets/published.py", 1, "the step")]


def _at(rule: Callable[..., object]) -> _Place:
    return str(Path(getfile(rule)).relative_to(PACKAGE)), getsourcelines(rule)[1], "the computation"


def _declared(table: Table) -> _Place:
    """Where the table's name stands in the module that declares it."""
    files = sorted(PACKAGE.joinpath("tables").glob("*.py"))
    holding = [file for file in files if f'"{table.name}"' in file.read_text(encoding="utf-8")]
    own = [file for file in holding if file.stem.startswith(table.layer) or file.stem in ("z_reports",)]
    [file, *_] = own or holding
    return _named(f'"{table.name}"', str(file.relative_to(PACKAGE)), "the columns")


def _named(text: str, file: str, label: str) -> _Place:
    lines = (PACKAGE / file).read_text(encoding="utf-8").splitlines()
    return file, next((number for number, line in enumerate(lines, 1) if text in line), 1), label
