"""Who counts the visitors of the stores: a custom metric of Sitoo's dashboard, or files in a folder."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from sitoo_pipeline.settings.section import Section, Variable


def _metric_key(value: str) -> str:
    if not re.fullmatch(r"cm_[A-Za-z0-9_.-]+", value):
        raise ValueError(f"{value!r} is no key of a custom metric; Sitoo's begin with cm_, as in cm_visitors")
    return value


def _folder(value: str) -> str:
    if not value.strip():
        raise ValueError("must be the path of a folder; a relative one is below the account's folder")
    return value


MetricKey = Annotated[str, AfterValidator(_metric_key)]
FolderPath = Annotated[str, AfterValidator(_folder)]


class Visitors(Section):
    """The one source of visitors: ``metric`` or ``folder``."""

    metric: Annotated[MetricKey | None, Variable("SITOO_VISITORS_METRIC")] = Field(
        default=None,
        description="key of a custom metric of Sitoo's dashboard, per date and store",
        examples=["cm_visitors"],
    )
    # The default is validated too: without a metric there must be a folder.
    folder: FolderPath | None = Field(
        default=None,
        validate_default=True,
        description="folder of CSV files; a relative one is below the account's folder",
        examples=["visitors"],
    )

    @field_validator("folder")
    @classmethod
    def _one_source(cls, value: str | None, info: ValidationInfo) -> str | None:
        if "metric" not in info.data:  # it is wrong, and that is said already
            return value
        if value is None and info.data["metric"] is None:
            raise ValueError("is missing, and so is metric; visitors are counted by one of the two")
        if value is not None and info.data["metric"] is not None:
            raise ValueError("stands beside metric; visitors are counted by one of the two")
        return value
