"""What exosync may be allowed to do, and who asks for it."""

from __future__ import annotations

from dataclasses import dataclass

READ_POLICIES = "https://www.googleapis.com/auth/cloud-identity.policies.readonly"
WRITE_POLICIES = "https://www.googleapis.com/auth/cloud-identity.policies"
READ_AUDIT = "https://www.googleapis.com/auth/admin.reports.audit.readonly"
READ_HEADERS = "https://www.googleapis.com/auth/gmail.metadata"
"""The least that Gmail's discovery document offers for messages: headers and labels, no bodies."""


@dataclass(frozen=True, slots=True)
class Api:
    """One API: how the wheel names it, how Google's console calls it, and what it needs.

    `nobody` is what it means that Google does not know whom the service account acts for.
    """

    name: str
    version: str
    title: str
    needs: str
    nobody: str = "admin: there is no user {admin} in this account"


POLICIES = Api(
    "cloudidentity", "v1", "Cloud Identity API", "be a super administrator of the customer"
)
"""Only a super administrator can use it (Google Cloud, "Policy API overview")."""

REPORTS = Api("admin", "reports_v1", "Admin SDK API", "have the Reports privilege")
"""Whether a custom role with that privilege is enough is unknown; a super administrator is."""

GMAIL = Api(
    "gmail",
    "v1",
    "Gmail API",
    "have Gmail",
    "there is no user {admin} in this account, so no mailbox to look into (a group has none)",
)


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, for what, in whose name: what a message must tell to be of use.

    `admin` is the user who is acted for: of Gmail the owner of the mailbox. `account` is a
    service account's e-mail address and `client_id` its number, each empty where it is not
    known; `host` is where the requests go if not to Google.
    """

    admin: str
    scope: str
    api: Api
    account: str = ""
    client_id: str = ""
    host: str = ""

    @property
    def client(self) -> str:
        """The client that the Admin console must list, in words."""
        if self.client_id:
            return f"client id {self.client_id} ({self.account})"
        if self.account:
            return (
                f"the numeric client id of {self.account} (Google Cloud console: IAM & Admin > "
                "Service Accounts, “OAuth 2 Client ID”)"
            )
        return "the client id of the service account"

    @property
    def nobody(self) -> str:
        """What it means that Google does not know that user."""
        return self.api.nobody.format(admin=self.admin)

    @property
    def place(self) -> str:
        """Whom the requests go to."""
        return self.host or "Google"
