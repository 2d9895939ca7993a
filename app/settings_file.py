"""The settings file of the app, TOML: what its options are where they are not typed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import typer
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app import limits
from landscape_core.errors import UserError, first_problem, reading

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class Settings(BaseModel):
    """What a file may say, by the options' names; a key that is not here is refused."""

    model_config = ConfigDict(extra="forbid", strict=True)

    host: str | None = None
    port: int | None = Field(None, ge=0, le=65535)
    name: list[str] | None = None
    task: list[str] | None = None
    device: str | None = None
    work: str | None = None
    train: bool | None = None
    adopt: dict[str, str] = {}  # published checkpoints, by the names of the tasks that they become
    limits: dict[str, Any] = {}  # by name, of `app.limits`


def read_settings(file: Path) -> Settings:
    """The settings of a file.

    Raises:
        UserError: it cannot be read, is no TOML, or says what is no setting or no limit; the sentence names the first problem.
    """
    with reading(f"The settings file {file}"):
        content = tomllib.loads(file.read_text(encoding="utf-8"))
    try:
        settings = Settings.model_validate(content)
        limits.checked(settings.limits)
    except UserError as error:
        raise UserError(f"The settings file {file}: {error}") from error
    except ValidationError as error:
        known = ", ".join(Settings.model_fields)
        raise UserError(f"The settings file {file}: {first_problem(error)} It may have: {known}.") from error
    return settings


def as_defaults(context: typer.Context, file: Path | None) -> Path | None:
    """The callback of `--settings`: the file's values become the other options' defaults."""
    if file is not None:
        try:
            context.default_map = read_settings(file).model_dump(exclude_none=True, exclude={"adopt", "limits"})
        except UserError as error:
            raise typer.BadParameter(str(error)) from error
    return file
