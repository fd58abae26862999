"""The keys of a `file` target in the configuration."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator


class Format(StrEnum):
    """What the file is written for."""

    PLAIN = "plain"
    JSON = "json"
    CSV = "csv"
    NFTABLES = "nftables"
    IPSET = "ipset"
    POSTFIX = "postfix"
    RSPAMD = "rspamd"
    HAPROXY = "haproxy"
    TERRAFORM = "terraform"
    TEMPLATE = "template"


KEYS_OF: Mapping[str, tuple[Format, ...]] = {
    "template": (Format.TEMPLATE,),
    "value": (Format.POSTFIX,),
    "set_name": (Format.NFTABLES, Format.IPSET),
    "table": (Format.NFTABLES,),
    "variable": (Format.TERRAFORM,),
}
"""The keys that mean something for some formats only, and for which."""

SUFFIX_V4, SUFFIX_V6, SUFFIX_NEW = "_v4", "_v6", "_new"
"""What is put behind `set_name`: one set a family, and ipset's set that is being filled."""

IPSET_LONGEST = 31
"""The longest name of a set (ipset(8): "SETNAME … at most 31 characters")."""

_IPSET_ROOM = IPSET_LONGEST - len(SUFFIX_V4 + SUFFIX_NEW)

_WORDS_OF_NFT = """
    accept add ah all and arp bridge cgroup chain comment comp constant continue counter cpu
    create ct day dccp define delete describe destroy device devices dnat drop dst dup dynamic
    ecn element elements eq esp ether exists expires export exthdr fib flags flow flowtable
    flush frag fwd ge geneve get goto gre gretap gt handle hbh hook hour ibriport ibrname icmp
    icmpv6 igmp iif iifgroup iifname iiftype import include index inet insert interval ip ip6
    ipsec jhash jump last le limit list log lshift lt map mark masquerade meta meter mh missing
    monitor ne netdev nftrace not notrack numgen obriport obrname offload oif oifgroup oifname
    oiftype or osf pkttype policy position priority queue quota random redefine redirect reject
    rename replace reset return rshift rt rt0 rt2 rtclassid rule ruleset sctp secmark set size
    skgid skuid snat socket srh symhash synproxy table tcp th time timeout tproxy tunnel type
    typeof udp udplite undefine update vlan vmap vni vxlan xor xt
"""

NFT_WORDS = frozenset(_WORDS_OF_NFT.split())
"""Words of the nft language, which cannot name a table (nftables, src/scanner.l)."""

TERRAFORM_WORDS = frozenset(
    {"count", "depends_on", "for_each", "lifecycle", "locals", "providers", "source", "version"}
)
"""Names that Terraform keeps for itself (Terraform language, "Input variables")."""

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,63}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")
_PERMISSIONS = re.compile(r"0?[0-7]{3}")


def _file_path(path: Path) -> Path:
    if path.name in ("", ".."):
        raise ValueError("must name a file")
    if not str(path).isprintable():
        raise ValueError("must not hold control characters")
    return path


def _identifier(text: str) -> str:
    if not _NAME.fullmatch(text):
        raise ValueError("must be 1 to 64 letters, digits, _ . and -, starting with a letter or _")
    return text


def _table(text: str) -> str:
    if text in NFT_WORDS:
        raise ValueError(f"{text!r} is a word of the nft language: choose another name")
    return _identifier(text)


def _variable(text: str) -> str:
    if text in TERRAFORM_WORDS:
        raise ValueError(f"{text!r} is a name that Terraform keeps for itself: choose another")
    if not _VARIABLE.fullmatch(text):
        raise ValueError("must be 1 to 64 letters, digits, _ and -, starting with a letter or _")
    return text


def _value(text: str) -> str:
    plain = text.strip()
    if not plain or not plain.isprintable():
        raise ValueError("must be one line without control characters, and not empty")
    return plain


def _permissions(text: str) -> str:
    if not _PERMISSIONS.fullmatch(text):
        raise ValueError('must be three octal digits, like "0644"')
    if int(text, 8) & 0o002:
        raise ValueError("must not let everybody write")
    if not int(text, 8) & 0o400:
        raise ValueError("must let the owner read")
    return text


FilePath = Annotated[Path, AfterValidator(_file_path)]


class FileSettings(BaseModel):
    """A file that holds the desired ranges."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        hide_input_in_errors=True,
        coerce_numbers_to_str=True,
        defer_build=True,
    )

    path: FilePath = Field(
        description="The file. A relative path starts at the folder of the configuration file."
    )
    format: Format = Field(
        default=Format.PLAIN, description="What the file is written for, or template."
    )
    template: FilePath | None = Field(
        default=None,
        description="The Jinja2 template that the file is made from; for format template. "
        "It must print {{ mark }}.",
    )
    value: Annotated[str, AfterValidator(_value)] = Field(
        default="OK",
        max_length=500,
        description="What Postfix finds for an address of the ranges; for format postfix.",
    )
    set_name: Annotated[str, AfterValidator(_identifier)] = Field(
        default="exchange_online",
        description="Name of the sets, followed by _v4 and _v6; for formats nftables and ipset "
        f"(ipset: at most {_IPSET_ROOM} characters).",
    )
    table: Annotated[str, AfterValidator(_table)] = Field(
        default="exosync",
        description="Table of family inet that the sets stand in; for format nftables.",
    )
    variable: Annotated[str, AfterValidator(_variable)] = Field(
        default="exchange_online_ranges",
        description="Variable that gets the list of ranges; for format terraform.",
    )
    permissions: Annotated[str, AfterValidator(_permissions)] = Field(
        default="0644",
        description="Permissions of a file that does not exist yet, in octal. One that exists "
        "keeps its permissions, owner and group.",
    )

    @model_validator(mode="after")
    def _keys_fit_format(self) -> Self:
        for key, formats in KEYS_OF.items():
            # A key at its default says nothing, and `config show` prints every key.
            default = type(self).model_fields[key].default
            if getattr(self, key) != default and self.format not in formats:
                names = " and ".join(formats)
                raise ValueError(f"{key}: is for format {names}, not for {self.format}: remove it")
        if self.format is Format.TEMPLATE and self.template is None:
            raise ValueError("template: format template needs the file of the template")
        if self.template is not None and self.template == self.path:
            raise ValueError("template: is the same file as path")
        return self

    @model_validator(mode="after")
    def _room_for_suffix(self) -> Self:
        if self.format is Format.IPSET and len(self.set_name) > _IPSET_ROOM:
            raise ValueError(
                f"set_name: has {len(self.set_name)} characters; ipset takes {IPSET_LONGEST}, "
                f"with {SUFFIX_V4}{SUFFIX_NEW} behind it: at most {_IPSET_ROOM} are left"
            )
        return self

    @property
    def mode(self) -> int:
        """The permissions as a number."""
        return int(self.permissions, 8)
