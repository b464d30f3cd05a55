"""What every part of the settings has in common, and what a field says of itself: where its value comes from.

The variables of the environment are written down once, on the fields that they set; the reader of the environment, the
reader of the file and the tests of the documentation all look here.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class Variable:
    """Marks a field with the environment variable that sets it where there is no file."""

    name: str


@dataclass(frozen=True)
class Secret(Variable):
    """The same for a field that is never in the file: there `<key>_env` names the variable that holds it, any one."""


@dataclass(frozen=True)
class FileSecret(Secret):
    """A secret of something that only the file can describe; the name of the variable is an example."""


class Section(BaseModel):
    """A table of the settings: frozen, built by keyword, and refusing keys that it does not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    given_by_loader: ClassVar[frozenset[str]] = frozenset()


def variable_of(field: FieldInfo) -> Variable | None:
    """The environment variable of a field, if it has one."""
    return next((mark for mark in field.metadata if isinstance(mark, Variable)), None)


def section_of(field: FieldInfo) -> type[Section] | None:
    """The section that a field holds: directly, optionally, or by name in a dictionary."""
    candidates = (field.annotation, *get_args(field.annotation))
    return next((each for each in candidates if isinstance(each, type) and issubclass(each, Section)), None)


def is_dictionary(field: FieldInfo) -> bool:
    """Whether a field holds sections by names that the user chooses, such as stores."""
    return get_origin(field.annotation) is dict


def file_keys(section: type[Section]) -> dict[str, tuple[str, FieldInfo]]:
    """The keys that a section has in the file, each with the name and the definition of its field."""
    return {
        f"{name}_env" if isinstance(variable_of(field), Secret) else name: (name, field)
        for name, field in section.model_fields.items()
        if name not in section.given_by_loader
    }
