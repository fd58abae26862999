"""Where a secret is to be found. The value itself never becomes part of the configuration."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator


class SecretRef(BaseModel):
    """A reference to a secret: `{file: PATH}` or `{env: NAME}`. Plain text is refused."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )

    file: Path | None = Field(default=None, description="File that holds the secret alone.")
    env: str | None = Field(
        default=None, min_length=1, description="Environment variable that holds the secret."
    )

    @model_validator(mode="before")
    @classmethod
    def _refuse_plain_text(cls, value: object) -> object:
        if isinstance(value, str):
            message = (
                "a secret is not written into the configuration: use {file: PATH} or {env: NAME}"
            )
            raise ValueError(message)
        return value

    @model_validator(mode="after")
    def _one_source(self) -> Self:
        if (self.file is None) == (self.env is None):
            message = "give exactly one of file and env"
            raise ValueError(message)
        return self

    def __str__(self) -> str:
        return f"file {self.file}" if self.file else f"environment variable {self.env}"
