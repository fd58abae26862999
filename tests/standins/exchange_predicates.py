"""What transport rules are made of: conditions (each also an exception) and actions.

The parameters are those of New-TransportRule (docs). Class names follow those that were seen
(`SentToScopePredicate`, `RouteMessageOutboundConnectorAction`); that every class is called as its
parameter is ours.
"""

from __future__ import annotations

from typing import Final

from tests.standins.exchange_types import BOOL, INT, LIST, TEXT, Kind, enum

NAMESPACE: Final = "Microsoft.Exchange.MessagingPolicies.Rules.Tasks"
EXCEPT: Final = "ExceptIf"

_SCOPE = enum("FromUserScope", "InOrganization", "NotInOrganization")
_TO_SCOPE = enum("ToUserScope", "InOrganization", "NotInOrganization")

CONDITION_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(
        (
            "AnyOfCcHeader",
            "AnyOfCcHeaderMemberOf",
            "AnyOfRecipientAddressContainsWords",
            "AnyOfRecipientAddressMatchesPatterns",
            "AnyOfToCcHeader",
            "AnyOfToCcHeaderMemberOf",
            "AnyOfToHeader",
            "AnyOfToHeaderMemberOf",
            "AttachmentContainsWords",
            "AttachmentExtensionMatchesWords",
            "AttachmentNameMatchesPatterns",
            "BetweenMemberOf1",
            "BetweenMemberOf2",
            "From",
            "FromAddressContainsWords",
            "FromAddressMatchesPatterns",
            "FromMemberOf",
            "HeaderContainsWords",
            "HeaderMatchesPatterns",
            "MessageContainsDataClassifications",
            "RecipientADAttributeContainsWords",
            "RecipientADAttributeMatchesPatterns",
            "RecipientAddressContainsWords",
            "RecipientAddressMatchesPatterns",
            "RecipientDomainIs",
            "SenderDomainIs",
            "SenderIpRanges",
            "SentTo",
            "SentToMemberOf",
            "SubjectContainsWords",
            "SubjectMatchesPatterns",
            "SubjectOrBodyContainsWords",
            "SubjectOrBodyMatchesPatterns",
        ),
        LIST,
    ),
    "AttachmentHasExecutableContent": BOOL,
    "AttachmentIsPasswordProtected": BOOL,
    "FromScope": _SCOPE,
    "HasClassification": TEXT,
    "HasSenderOverride": BOOL,
    "HeaderContainsMessageHeader": TEXT,
    "HeaderMatchesMessageHeader": TEXT,
    "MessageSizeOver": TEXT,
    "MessageTypeMatches": enum(
        "MessageType",
        "OOF",
        "AutoForward",
        "Encrypted",
        "Calendaring",
        "PermissionControlled",
        "Voicemail",
        "Signed",
        "ApprovalRequest",
        "ReadReceipt",
    ),
    "SCLOver": INT,
    "SentToScope": _TO_SCOPE,
    "WithImportance": enum("Importance", "Low", "Normal", "High"),
}

ACTION_KINDS: Final[dict[str, Kind]] = {
    "AddToRecipients": LIST,
    "ApplyHtmlDisclaimerText": TEXT,
    "ApplyOME": BOOL,
    "BlindCopyTo": LIST,
    "CopyTo": LIST,
    "DeleteMessage": BOOL,
    "GenerateIncidentReport": TEXT,
    "ModerateMessageByUser": LIST,
    "NotifySender": TEXT,
    "PrependSubject": TEXT,
    "Quarantine": BOOL,
    "RedirectMessageTo": LIST,
    "RejectMessageEnhancedStatusCode": TEXT,
    "RejectMessageReasonText": TEXT,
    "RemoveHeader": TEXT,
    "RouteMessageOutboundConnector": TEXT,
    "RouteMessageOutboundRequireTls": BOOL,
    "SetAuditSeverity": TEXT,
    "SetHeaderName": TEXT,
    "SetHeaderValue": TEXT,
    "SetSCL": INT,
}

PAIRS: Final = (
    ("HeaderContainsMessageHeader", "HeaderContainsWords"),
    ("HeaderMatchesMessageHeader", "HeaderMatchesPatterns"),
    ("ExceptIfHeaderContainsMessageHeader", "ExceptIfHeaderContainsWords"),
    ("ExceptIfHeaderMatchesMessageHeader", "ExceptIfHeaderMatchesPatterns"),
    ("SetHeaderName", "SetHeaderValue"),
)
"""What must come together."""

_PREDICATES = {
    "HeaderContainsMessageHeader": "HeaderContains",
    "HeaderContainsWords": "HeaderContains",
    "HeaderMatchesMessageHeader": "HeaderMatches",
    "HeaderMatchesPatterns": "HeaderMatches",
    "BetweenMemberOf1": "BetweenMemberOf",
    "BetweenMemberOf2": "BetweenMemberOf",
}
_ACTIONS = {
    "SetHeaderName": "SetHeader",
    "SetHeaderValue": "SetHeader",
    "RejectMessageEnhancedStatusCode": "RejectMessage",
    "RejectMessageReasonText": "RejectMessage",
}

CONDITIONS: Final = {
    name: f"{NAMESPACE}.{_PREDICATES.get(name, name)}Predicate" for name in CONDITION_KINDS
}
ACTIONS: Final = {name: f"{NAMESPACE}.{_ACTIONS.get(name, name)}Action" for name in ACTION_KINDS}
EXCEPTIONS: Final = {f"{EXCEPT}{name}": class_ for name, class_ in CONDITIONS.items()}
