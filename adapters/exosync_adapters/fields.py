"""The kinds of value that settings of targets hold, as pydantic reads and writes them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    WithJsonSchema,
)

from exosync.core.units import DURATION_PATTERN, duration_text, parse_duration
from exosync.core.urls import check_http_url

_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")
_PORT = re.compile(r"(?:\[(?P<six>[0-9A-Fa-f:.]+)\]|(?P<host>[^:\[\]\s]+)):(?P<port>\d{1,5})")
HOST = re.compile(r"[A-Za-z0-9._-]+|[0-9A-Fa-f:.]+")
"""What the name or address of a server looks like."""

_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}")


class Settings(BaseModel):
    """A part of a target's settings: closed, unchangeable, and silent about what was put in."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, defer_build=True
    )


def domain_name(text: str) -> str:
    """A domain name as exosync writes it: A-labels, lower case, no dot at the end.

    Raises ValueError if it is no domain name. Non-ASCII names follow IDNA 2008 (RFC 5891).
    """
    name = text.strip().rstrip(".")
    if not name.isascii():
        import idna

        try:
            name = idna.encode(name, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(f"{text!r} is not a domain name: {error}") from None
    name = name.lower()
    if len(name) > 253 or not all(_LABEL.fullmatch(label) for label in name.split(".")):
        raise ValueError(f"{text!r} is not a domain name")
    return name


def full_domain_name(text: str) -> str:
    """The same for a name that has a dot in it. Raises ValueError."""
    name = domain_name(text)
    if "." not in name:
        raise ValueError(f"{text!r} has no dot in it: write the whole domain name")
    if name.rpartition(".")[2].isdigit():
        raise ValueError(f"{text!r} is not a domain name: none ends in a number")
    return name


def host_and_port(text: str, *, port: int = 53) -> tuple[str, int]:
    """`host`, `host:port` or `[v6]:port` as host and port; `port` where none is given.

    Raises ValueError.
    """
    if found := _PORT.fullmatch(text):
        if 0 < int(found["port"]) < 65536:
            return found["six"] or found["host"], int(found["port"])
    elif HOST.fullmatch(text):
        return text, port
    raise ValueError(f"{text!r} is not HOST, HOST:PORT or [IPV6]:PORT")


def base_url(text: str) -> str:
    """An address that paths are added to, without a slash at its end. Raises ValueError."""
    if "?" in text or "#" in text:
        raise ValueError("must be a base address, to which paths are added: without ? and #")
    return check_http_url(text).rstrip("/")


def _server(text: str) -> str:
    host_and_port(text)
    return text


def email_address(text: str) -> str:
    """An email address with its domain in A-labels. Raises ValueError if it is none."""
    local, at, domain = text.strip().rpartition("@")
    if not at or not _LOCAL_PART.fullmatch(local):
        raise ValueError(f"{text!r} is not an email address")
    return f"{local}@{full_domain_name(domain)}"


def _duration(value: object) -> object:
    return value if isinstance(value, timedelta) else parse_duration(str(value))


Domain = Annotated[str, AfterValidator(full_domain_name)]
EmailAddress = Annotated[str, AfterValidator(email_address)]
HostPort = Annotated[str, AfterValidator(_server)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
Duration = Annotated[
    timedelta,
    BeforeValidator(_duration),
    PlainSerializer(duration_text),
    WithJsonSchema({"type": "string", "pattern": DURATION_PATTERN}),
]
