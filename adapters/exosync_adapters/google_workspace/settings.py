"""The keys of a `google_workspace` target in the configuration."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from exosync.core.secret import SecretRef
from exosync_adapters.fields import BaseUrl, Duration, EmailAddress, Settings

EMAIL_ALLOWLIST, INBOUND_GATEWAY = "email_allowlist", "inbound_gateway"

CHOOSE_ONE = (
    "choose one of email_allowlist and inbound_gateway: Google does not add to the email "
    "allowlist what an inbound gateway holds (Google Workspace Admin Help, answer 60751)"
)
"""Why the two settings exclude each other."""

OWN_CUSTOMER = "my_customer"
"""The customer that the administrator belongs to."""

_CUSTOMER = re.compile(r"C[0-9A-Za-z]{1,63}")
_UNIT = re.compile(r"orgUnits/[0-9A-Za-z_-]{1,100}")


def _customer(text: str) -> str:
    if text != OWN_CUSTOMER and not _CUSTOMER.fullmatch(text):
        raise ValueError(
            f"{text!r} is neither a customer id (C and letters or digits; Admin console: "
            f"Account > Account settings) nor {OWN_CUSTOMER}"
        )
    return text


def _unit(text: str) -> str:
    if not _UNIT.fullmatch(text):
        raise ValueError(f"{text!r} is not written like orgUnits/03ph8a2z…")
    return text


def _one_setting(value: object) -> object:
    if isinstance(value, list | tuple | set):
        raise ValueError(CHOOSE_ONE)
    return value


def _word(text: str) -> str:
    if not text.strip():
        raise ValueError("a word of the audit log is not empty")
    return text.strip().lower()


Customer = Annotated[str, AfterValidator(_customer)]
OrgUnit = Annotated[str, AfterValidator(_unit)]
Word = Annotated[str, AfterValidator(_word)]
Setting = Annotated[Literal["email_allowlist", "inbound_gateway"], BeforeValidator(_one_setting)]


class CredentialsSettings(Settings):
    """How exosync shows Google who it is."""

    kind: Literal["keyless", "key_file", "default"] = Field(
        description="keyless: a service account, without a key: what this machine runs as signs "
        "for it. key_file: a service account's key. default: application default credentials."
    )
    service_account: EmailAddress | None = Field(
        default=None, description="E-mail address of the service account; for kind keyless."
    )
    file: SecretRef | None = Field(
        default=None,
        description="Where the key is, as Google's JSON: {file: …} or {env: …}; for kind key_file.",
    )

    @model_validator(mode="after")
    def _keys_fit_kind(self) -> Self:
        for key, kind in (("service_account", "keyless"), ("file", "key_file")):
            given = getattr(self, key) is not None
            if given and self.kind != kind:
                raise ValueError(f"{key}: is for kind {kind}, not for {self.kind}: remove it")
            if not given and self.kind == kind:
                raise ValueError(f"{key}: kind {kind} needs it")
        return self


class GoogleSettings(Settings):
    """One setting of Gmail in one Google Workspace account."""

    customer: Customer = Field(
        description="The customer id, which starts with C, or my_customer: the administrator's own."
    )
    admin: EmailAddress = Field(
        description="The super administrator that the service account acts for."
    )
    credentials: CredentialsSettings | None = Field(
        default=None,
        description="How exosync shows Google who it is. Not needed for inbound_gateway with "
        "audit: false and without mailbox_headers, since nothing is asked then.",
    )
    setting: Setting = Field(
        description="email_allowlist or inbound_gateway; not both, since Google does not add to "
        "the email allowlist what an inbound gateway holds."
    )
    url: BaseUrl | None = Field(
        default=None,
        description="Base address that stands for all of Google's hosts. Default: Google's own.",
    )
    write: Literal["never", "probe"] = Field(
        default="never",
        description="probe: try Google's own patch before a step is left to a person, though it "
        "is not documented for this setting; needs the scope cloud-identity.policies.",
    )
    root_unit: OrgUnit | None = Field(
        default=None,
        description="The top organizational unit, like orgUnits/…; then only the list there "
        "counts. Default: found in Google's answer.",
    )
    split_to: int | None = Field(
        default=None,
        ge=8,
        le=32,
        description="Longest IPv4 range as a prefix length: wider ones are split. Default: none "
        "is split.",
    )
    max_entries: int | None = Field(
        default=None,
        ge=1,
        description="Refuse a list of more entries. Default: no limit, as Google publishes none.",
    )
    audit: bool = Field(
        default=True,
        description="Whether the Admin audit log is read while a person's step is open; needs the "
        "scope admin.reports.audit.readonly.",
    )
    audit_words: tuple[Word, ...] = Field(
        default=(),
        description="Parts of the setting's name in the audit log, in any case. Default: those "
        "known for the setting.",
    )
    mailbox_headers: bool = Field(
        default=False,
        description="Whether exosync trace (--send, --sent) may look for its own message in the "
        "recipient's mailbox: headers and labels alone; needs the scope gmail.metadata, which is for every "
        "mailbox of the account.",
    )
    page_pause: Duration = Field(
        default=timedelta(seconds=1),
        ge=timedelta(0),
        le=timedelta(minutes=1),
        description="Pause between two pages of an answer; with less than 1s Google refuses some.",
    )
    timeout: Duration = Field(
        default=timedelta(seconds=20),
        ge=timedelta(seconds=1),
        le=timedelta(minutes=5),
        description="How long to wait for Google at most, each time that nothing comes.",
    )
    settle: Duration = Field(
        default=timedelta(minutes=1),
        ge=timedelta(0),
        le=timedelta(hours=1),
        description="How long to read back what was written by API until it shows.",
    )

    @model_validator(mode="after")
    def _has_credentials(self) -> Self:
        asks = self.setting == EMAIL_ALLOWLIST or self.audit or self.mailbox_headers
        if self.credentials is None and asks:
            raise ValueError(
                "credentials: are needed (only inbound_gateway with audit: false and without "
                "mailbox_headers does without)"
            )
        return self

    @model_validator(mode="after")
    def _keys_fit_setting(self) -> Self:
        for key, default in (("write", "never"), ("root_unit", None)):
            if self.setting == INBOUND_GATEWAY and getattr(self, key) != default:
                raise ValueError(
                    f"{key}: is for setting {EMAIL_ALLOWLIST}: no API reads or writes an inbound "
                    "gateway"
                )
        return self


def clashes(targets: Mapping[str, GoogleSettings]) -> Iterator[tuple[str, str, str]]:
    """Targets that cannot stand beside an earlier one of the same customer.

    `my_customer` stands for the customer of the administrator's domain: it is taken for the
    same as an id whose administrator has an address there.
    """
    earlier: list[tuple[str, GoogleSettings]] = []
    for name, settings in targets.items():
        for other, those in earlier:
            if not _same_customer(settings, those):
                continue
            if settings.setting != those.setting:
                text = f"target {other} of the same customer is {those.setting}: {CHOOSE_ONE}"
            else:
                text = (
                    f"target {other} is {those.setting} of the same customer already: two targets "
                    "would take each other's ranges out of one list"
                )
            yield name, "setting", text
        earlier.append((name, settings))


def _same_customer(one: GoogleSettings, other: GoogleSettings) -> bool:
    if one.customer == other.customer != OWN_CUSTOMER:
        return True
    domains = {settings.admin.rpartition("@")[2] for settings in (one, other)}
    return OWN_CUSTOMER in (one.customer, other.customer) and len(domains) == 1
