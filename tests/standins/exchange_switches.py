"""What the stand-in of Exchange Online can be told to do otherwise.

Sources, here and in the other modules of this stand-in:

G2O     rknightion/graph2otel, which measured a live tenant
CIPP    KelvinTegelaar/CIPP-API
Scuba   cisagov/ScubaGear
DSC     microsoft/Microsoft365DSC
docs    MicrosoftDocs/office-docs-powershell and learn.microsoft.com

"public code" is a public repository that was seen without its name.
"unknown" is what no source tells; "ours" is what this stand-in makes up to be of use.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from tests.standins.exchange_clouds import CloudName

MANAGE, MANAGE_V2 = "Exchange.ManageAsApp", "Exchange.ManageAsAppV2"
READ_TRACES, SEND_MAIL = "ExchangeMessageTrace.Read.All", "Mail.Send"
GRAPH_ROLES = frozenset({READ_TRACES, SEND_MAIL})
ALL_APP_ROLES = GRAPH_ROLES | {MANAGE, MANAGE_V2}

EXCHANGE_ADMINISTRATOR, GLOBAL_READER = "Exchange Administrator", "Global Reader"
SECURITY_READER = "Security Reader"
REMOTE_DOMAINS, TRANSPORT_RULES = "Remote and Accepted Domains", "Transport Rules"
VIEW_CONFIGURATION, VIEW_RECIPIENTS = "View-Only Configuration", "View-Only Recipients"
CUSTOM_GROUP = frozenset({REMOTE_DOMAINS, TRANSPORT_RULES, VIEW_CONFIGURATION})
"""The role group of least privilege (DSC, settings.json)."""

REGIONAL = "https://eurprd05.outlook.office365.com"
FOREIGN = "https://outlook.office365.com.attacker.example"


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """How the tenant behaves. Numbers of faults count down from when they are set."""

    cloud: CloudName = "worldwide"
    """The cloud that the tenant is in."""

    # What listings show
    hide_scoped: bool = False
    """Connectors for rules alone are listed only if asked for: the docs say so, G2O saw them
    without."""
    test_mode: Literal["superset", "only"] = "superset"
    """What IncludeTestModeConnectors gives. Practice: all; the docs: those alone."""
    unknown_identity: Literal["all", "not_found"] = "not_found"
    """What Get-* gives for an identity that is not there: the docs say everything, clients see
    an error (public code)."""
    page_size: int | None = None
    """How much one answer holds unless ResultSize is Unlimited."""
    result_size_ignored: bool = False
    """Unlimited does not help. One client's author says so of InvokeCommand, G2O otherwise."""
    next_link: Literal["fails", "works", "absent"] = "fails"
    """What asking again with the address of the next page gives: G2O got 400 every time, CIPP
    follows it. absent: the answer is cut with a warning alone (ours)."""
    empty_as: Literal["as_seen", "[]", "null"] = "as_seen"
    """How an empty list reads. Seen: [] of connectors, null of rules; both are about (DSC 5500)."""
    sidecars: bool = True
    """Types beside the properties (G2O). Without: ours."""
    stale_reads: int = 0
    """So many readings after each write still show what was before. Likely, for minutes even."""

    # Writing
    duplicate_status: Literal[400, 409] = 400
    """The type is likely, the status unknown."""
    referenced: Literal["refused", "warned", "allowed"] = "refused"
    """What becomes of removing or switching off a connector that a rule names. Unknown."""
    rename_follows: bool = False
    """Whether rules name a renamed connector anew. Unknown."""
    dehydrated: Literal["no", "yes", "settling"] = "no"
    """yes: not customisable. settling: it says that it is, and writes still fail (public code)."""
    rule_delay: timedelta = timedelta()
    """Mail is handled by the rules as they were so long ago. Docs: 30 minutes and more."""
    denied_parameters: frozenset[str] = frozenset()
    """Parameters that the caller's role does not have, as `Set-TransportRule:Priority`."""
    denied_cmdlets: frozenset[str] = frozenset()
    """Commands that the caller's role does not have although its name promises them."""

    # Refusals and faults
    nul_403: Literal["plain", "gzip", "empty"] = "plain"
    """The body of 403: NULs, NULs that are declared to be gzip, or nothing (G2O; public code)."""
    denied_401: bool = False
    """A role that does not do gives 401 with JSON instead (office-docs-powershell 7970)."""
    mixed_roles_refused: bool = False
    """InvokeCommand refuses a token that has the role for v2.0 as well. Unknown; azapptoolkit
    says that one for v2.0 is."""
    throttle: int = 0
    """So many requests get 429."""
    throttle_tells: Literal["reset", "retry_after", "nothing"] = "reset"
    """How 429 says when: Rate-Limit-Reset as seen, or Retry-After, which nobody saw."""
    throttle_seconds: float = 0
    """The time that 429 tells."""
    budget: int = 0
    """So many commands are run in five seconds, the next get 429. Of this interface no such limit is
    known; remote PowerShell had one of 25 (Quadrotech's blog, "Exchange Online PowerShell
    Throttling", 2013). 0: none."""
    micro_delay: bool = False
    """What a command gives comes with the warning that it was held back (Microsoft Support 2881759,
    of remote PowerShell; whether this interface hands it on is unknown)."""
    fail: int = 0
    """So many requests get 503."""
    redirects: int = 0
    """So many requests get 302."""
    redirect_to: str = REGIONAL
    """The host that 302 leads to; the path stays."""
    drop_before: int = 0
    """So many writes lose their connection before anything is done."""
    drop_after: int = 0
    """So many writes are done, and the connection is lost then."""
    latency_seconds: float = 0
    """How long each answer takes."""

    # Tokens and traces
    token_seconds: int = 3599
    """How long a token holds."""
    trace_delay: timedelta = timedelta()
    """How long after its message a trace shows."""
