"""What the stand-in of Google's services can be told to do otherwise.

Sources, as the comments name them: "discovery" is Google's discovery document of the API (in the
google-api-python-client wheel); "help" is support.google.com/a/answer/60751 and 60730; "Scuba"
is cisagov/ScubaGoggles; "GAM" is GAM-team/GAM; "Elastic" is the samples of elastic/integrations;
"seen" is what public error reports show. What nobody has shown is said to be unknown: there the
switch gives the answers that are possible.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Literal

READ_POLICIES = "https://www.googleapis.com/auth/cloud-identity.policies.readonly"
WRITE_POLICIES = "https://www.googleapis.com/auth/cloud-identity.policies"
READ_AUDIT = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
READ_HEADERS = "https://www.googleapis.com/auth/gmail.metadata"
ALL_SCOPES = (READ_POLICIES, WRITE_POLICIES, READ_AUDIT, READ_HEADERS)
IAM_SCOPES = (  # discovery names the first; google-auth asks for the second
    "https://www.googleapis.com/auth/cloud-platform",
    "https://www.googleapis.com/auth/iam",
)

CLOUD_IDENTITY = "cloudidentity.googleapis.com"
ADMIN_SDK = "admin.googleapis.com"
GMAIL = "gmail.googleapis.com"
IAM_CREDENTIALS = "iamcredentials.googleapis.com"

Mutate = Literal[
    "unimplemented",  # GAM handles 501 UNIMPLEMENTED from this method: the likely answer today
    "bad_request",  # 400 INVALID_ARGUMENT
    "forbidden",  # 403 PERMISSION_DENIED
    "works",  # an Operation that is done, with the policy as its response
    "ignored",  # the same, but nothing changes (ours: an answer is no proof)
    "pending",  # an Operation that is not done; the value comes after `pending`
    "operation_error",  # an Operation that is done, with an error
    "lost",  # it works, and the connection is reset before the answer (ours)
]
Place = Literal["org_unit", "group", "admin_group", "no_org_unit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Every fault, limit and unknown of the services; the default is what is most likely."""

    # Credentials
    token_creator: bool = True  # whether the source holds roles/iam.serviceAccountTokenCreator
    source_revoked: bool = False
    reports_privilege: bool = True  # a custom role may do for the Reports API (unknown)
    token_seconds: int = 3599  # ours: just under the hour that a grant asks for
    clock_error: timedelta = timedelta()  # the service's clock is ahead of the client's by this
    unauthorized_status: int = 401  # 400 or 401: unknown
    disabled_apis: tuple[str, ...] = ()  # CLOUD_IDENTITY, ADMIN_SDK, GMAIL, …

    # policies.list
    not_found: bool = False  # GAM issue 1982: for some domains, Google's own fault
    blank_pages: bool = False  # Scuba: pages without policies that have a next page
    page_limit: int | None = None  # discovery: "The service can return fewer"
    shuffled: bool = True  # GAM: results come in no order
    older_filters: bool = False  # older docs: only && and one setting.type clause
    type_equality: bool = False  # setting.type == '…': used by some, not documented
    min_gap_seconds: float = 0.0  # Scuba: 429 when requests come less than about a second apart
    reads_a_minute: int | None = None  # Scuba: a quota "read requests per minute"; number unknown
    retry_after: str | None = None  # of those 429; whether Google sends it: unknown

    # Policies
    other_policies: bool = True  # without them an absent allowlist means nothing
    filler: int = 0  # so many more Gmail policies, on other org units
    system_default: bool = False  # a SYSTEM policy of the allowlist too: unknown
    also_on: tuple[Place, ...] = ()  # further ADMIN policies of the allowlist, so placed
    snake_case: bool = False  # the docs' table shows snake_case, real answers camelCase
    empty_value: Literal["list", "absent"] = "list"  # how an empty list is shown: unknown
    emptied: Literal["empty", "absent"] = "empty"  # what emptying the box leaves: unknown
    renamed: bool = False  # whether a policy's name stays when its value changes: unknown
    # How an entry comes back: unknown.
    normalise: Literal["as_typed", "prefix", "no_prefix", "mask", "mask_and_prefix"] = "as_typed"
    # Up to 24 hours, says help; an older copy of it: up to an hour.
    propagation: timedelta = timedelta()

    # Writing
    mutate: Mutate = "unimplemented"
    pending: timedelta = timedelta(minutes=5)  # ours

    # The audit log
    audit_schema: Literal["new", "legacy", "both"] = "new"  # help 16601511: both to August 2026
    audit_lag: timedelta = timedelta()  # Elastic, of help 7061566: minutes up to 3 days
    audit_noise: bool = True  # other people's events
    # Elastic: one save gives several activities. The fields of this proto but is_empty: unknown.
    audit_fields: tuple[str, ...] = field(default=("is_empty",))
    inbound_gateway_name: str = "INBOUND_GATEWAY"  # the real SETTING_NAME is unknown

    # Gmail
    no_gmail: tuple[str, ...] = ()  # users for whom the service is off
    oldest_first: bool = False  # the order of a list is not documented

    latency_seconds: float = 0.0
