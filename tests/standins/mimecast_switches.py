"""What is not known of the Mimecast API 2.0, or known in several shapes: one switch for each.

Sources, here and in the other modules of this stand-in:

TF   Scriptception/terraform-provider-mimecast, its client, tests and ledger of the catalogue
POR  the vendor's developer portal as scraped in ecpunk/Mimecast-API-Action-Pack (December 2025)
VEL  captivatortechnologies/veltrix-apps, apps/mimecast
DEM  demisto/content, Packs/Mimecast/Integrations/MimecastV2
R7   rapid7/insightconnect-plugins, mimecast and mimecast_v2
SEN  Azure/Azure-Sentinel, Solutions/Mimecast
ELA  elastic/integrations, packages/mimecast
Akonis  Akonis-cybersecurity/Mimecast-Akonis-automation-library
INT  integrations.mimecast.com, the vendor's documentation of API 1.0
ZD   mimecastsupport.zendesk.com, with the number of the article

"unknown" is what no source tells; "ours" is what this stand-in makes up to be of use.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

POLICIES_READ, POLICIES_EDIT = "Gateway | Policies | Read", "Gateway | Policies | Edit"
SENDERS_EDIT = "Gateway | Managed Senders | Edit"
ACCOUNT_READ, ACCOUNT_EDIT = "Account | Settings | Read", "Account | Settings | Edit"

# TF's ledger: what the catalogue asks for. That Edit does not hold Read is ours.
ALL_ROLES = frozenset({POLICIES_READ, POLICIES_EDIT, SENDERS_EDIT, ACCOUNT_READ, ACCOUNT_EDIT})
READ_ONLY = frozenset({POLICIES_READ, ACCOUNT_READ})

# TF's ledger: policies need the first, managed senders and outbound addresses the second.
POLICY_MANAGEMENT, CLOUD_GATEWAY = "policymanagement", "cloudgateway"
ALL_PRODUCTS = frozenset({POLICY_MANAGEMENT, CLOUD_GATEWAY})

ListWrapper = Literal["definitions", "policies", "bare"]
TokenPlace = Literal[
    "meta.nextPage",
    "meta.nextPageToken",
    "meta.pagination.next",
    "meta.pagination.nextPage",
    "meta.pagination.nextPageToken",
    "nextToken",
    "next_token",
]
ErrorShape = Literal["fail_flat", "fail_nested_200", "message", "error", "failures", "errors"]
TimeFormat = Literal["offset", "zulu", "date"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How this account behaves. Each field says where it comes from."""

    # Lists and their pages
    list_wrapper: ListWrapper = "definitions"
    """POR documents `definitions`, TF and DEM observed `policies`, VEL also reads a bare list."""
    next_token_place: TokenPlace = "meta.nextPage"
    """TF reads five places under `meta`, Akonis `nextToken`, DEM `next_token`.

    A bare list has no place for it: the stand-in then gives everything on one page (ours).
    """
    page_size_max: int = 100
    """POR: 1 to 100. That a larger size is refused, and not cut, is unknown."""
    page_size_default: int = 25
    """Unknown: what a page holds when nobody says."""
    last_page_empty: bool = False
    """Unknown: whether the last full page gives a token that leads to an empty one."""

    # Answers to writes
    create_answer: Literal["id", "policyId"] = "id"
    """TF reads both."""
    patch_answer: Literal[204, 200] = 204
    """TF's tests: 204. DEM: nothing useful comes back. 200 gives a body with the id (ours)."""
    post_commits_then_drops: int = 0
    """So many of the next POSTs change things and then drop the connection (ours, a fault)."""
    patch_commits_then_drops: int = 0
    """The same for PATCHes."""
    delete_commits_then_drops: int = 0
    """The same for DELETEs."""
    delay_seconds: float = 0
    """A change shows in answers only so much later. ZD 34000376923795: mail feels a change
    within 5 minutes; whether the API also does is unknown."""

    # What is taken
    prefix_limit: int | None = None
    """Shorter prefixes are refused. ZD 34000660941843: "in some circumstances Mimecast limits
    IP addresses to /24"; which circumstances is unknown."""
    ipv4_only: bool = True
    """POR of another object: "IPv4 in CIDR format". Unknown for `sourceIPs`."""
    suffix_required: bool = True
    """ZD 34000660941843: CIDR is required wherever an address is entered. Unknown for the API."""
    host_bits_refused: bool = True
    """Unknown."""
    max_source_ips: int | None = None
    """Unknown: how many one policy takes."""
    max_description: int | None = None
    """Unknown: how many characters a description may have."""
    duplicate_descriptions: bool = True
    """Unknown: whether two policies may have the same description."""
    patch_lists: Literal["replace", "add"] = "replace"
    """Unknown: whether a list in a PATCH takes the old one's place. Likely, as other fields do."""
    empty_list_clears: bool = True
    """Unknown: whether an empty list in a PATCH empties the field or is passed over."""

    # How things read back
    rotate_ids: bool = False
    """Each listing gives other ids for the same policies. TF's changelog, of address alteration
    policies; unknown here."""
    old_ids_work: bool = True
    """Unknown: whether an id still leads to its policy after a listing gave another one."""
    reorder_lists: bool = False
    """Unknown: whether `sourceIPs` and the like keep their order."""
    strip_suffix_32: bool = False
    """Unknown: whether a /32 reads back as a bare address."""
    empty_as: Literal["[]", "null", "absent"] = "[]"
    """Unknown: how an empty list reads."""
    time_format: TimeFormat = "offset"
    """DEM's data of a real account: 1900-01-01T00:00:00+0000 ("offset"). POR: "string (date)"
    ("date"). "zulu" is ISO 8601 with Z (unknown)."""
    outbound_entries: Literal["text", "object"] = "text"
    """TF reads a list of texts and one of {"outboundIpAddress": text}: both are documented."""

    # Refusals
    app_forbidden_status: int = 403
    """Unknown which status carries `app_forbidden`; TF says 403 for a missing product or role."""
    error_shape: ErrorShape = "fail_flat"
    """How the policy functions tell errors. SEN: flat `fail`; SEN, R7, DEM, TF: status 200 with
    `fail[].errors[]`; VEL reads the others."""
    token_error: Literal["oauth", "fail"] = "oauth"
    """VEL reads `error_description` and `error` (RFC 6749, 5.2); `fail` is what the gateway
    gives elsewhere. Which of them is unknown."""
    rate_limit: int | None = None
    """So many calls of one function in a window, then 429. DEM, quoting the portal: the quota is
    per function and application. Its numbers are unknown."""
    rate_window_seconds: float = 1
    """Unknown."""
    rate_reset_header: Literal["milliseconds", "absent"] = "milliseconds"
    """INT: milliseconds, as text. ELA: absent until the limit is exceeded. Absent then: unknown."""

    # Time
    token_life_seconds: int = 1800
    """POR: 30 minutes. VEL falls back to 1799."""
    clock_offset_seconds: float = 0
    """How far the `Date` header is from the caller's clock (ours)."""
    latency_seconds: float = 0
    """How long each answer takes, for benchmarks (ours)."""
