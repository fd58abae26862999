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
            "AttachmentMatchesPatterns",
            "AttachmentNameMatchesPatterns",
            "AttachmentPropertyContainsWords",
            "BetweenMemberOf1",
            "BetweenMemberOf2",
            "ContentCharacterSetContainsWords",
            "From",
            "FromAddressContainsWords",
            "FromAddressMatchesPatterns",
            "FromMemberOf",
            "HeaderContainsWords",
            "HeaderMatchesPatterns",
            "ManagerAddresses",
            "MessageContainsDataClassifications",
            "RecipientADAttributeContainsWords",
            "RecipientADAttributeMatchesPatterns",
            "RecipientAddressContainsWords",
            "RecipientAddressMatchesPatterns",
            "RecipientDomainIs",
            "RecipientInSenderList",
            "SenderADAttributeContainsWords",
            "SenderADAttributeMatchesPatterns",
            "SenderDomainIs",
            "SenderInRecipientList",
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
    "ADComparisonAttribute": TEXT,
    "ADComparisonOperator": enum("Evaluation", "Equal", "NotEqual"),
    "AttachmentHasExecutableContent": BOOL,
    "AttachmentIsPasswordProtected": BOOL,
    "AttachmentIsUnsupported": BOOL,
    "AttachmentProcessingLimitExceeded": BOOL,
    "AttachmentSizeOver": TEXT,
    "FromScope": _SCOPE,
    "HasClassification": TEXT,
    "HasNoClassification": BOOL,
    "HasSenderOverride": BOOL,
    "HeaderContainsMessageHeader": TEXT,
    "HeaderMatchesMessageHeader": TEXT,
    "ManagerForEvaluatedUser": enum("EvaluatedUser", "Recipient", "Sender"),
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
    "SenderManagementRelationship": enum("ManagementRelationship", "Manager", "DirectReport"),
    "SentToScope": _TO_SCOPE,
    "WithImportance": enum("Importance", "Low", "Normal", "High"),
}

ACTION_KINDS: Final[dict[str, Kind]] = {
    **dict.fromkeys(
        (
            "ApplyOME",
            "DeleteMessage",
            "Disconnect",
            "ModerateMessageByManager",
            "Quarantine",
            "RemoveOME",
            "RemoveOMEv2",
            "RemoveRMSAttachmentEncryption",
            "RouteMessageOutboundRequireTls",
        ),
        BOOL,
    ),
    **dict.fromkeys(
        (
            "AddToRecipients",
            "BlindCopyTo",
            "CopyTo",
            "IncidentReportContent",
            "ModerateMessageByUser",
            "RedirectMessageTo",
        ),
        LIST,
    ),
    **dict.fromkeys(
        (
            "AddManagerAsRecipientType",
            "ApplyClassification",
            "ApplyHtmlDisclaimerFallbackAction",
            "ApplyHtmlDisclaimerLocation",
            "ApplyHtmlDisclaimerText",
            "ApplyRightsProtectionCustomizationTemplate",
            "ApplyRightsProtectionTemplate",
            "GenerateIncidentReport",
            "GenerateNotification",
            "IncidentReportOriginalMail",
            "LogEventText",
            "NotifySender",
            "PrependSubject",
            "RejectMessageEnhancedStatusCode",
            "RejectMessageReasonText",
            "RemoveHeader",
            "RouteMessageOutboundConnector",
            "SetAuditSeverity",
            "SetHeaderName",
            "SetHeaderValue",
            "SmtpRejectMessageRejectStatusCode",
            "SmtpRejectMessageRejectText",
        ),
        TEXT,
    ),
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
