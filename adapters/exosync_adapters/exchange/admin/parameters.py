"""The parameters of a transport rule: what are conditions, and what are actions.

MicrosoftDocs/office-docs-powershell, New-TransportRule. Each condition has an exception whose name
begins with ExceptIf. Parameters of a rule as a whole (Priority, Mode, …) are neither.
"""

from __future__ import annotations

from typing import Final

NAMESPACE: Final = "Microsoft.Exchange.MessagingPolicies.Rules.Tasks."
"""What the names of the classes in Conditions, Exceptions and Actions begin with (graph2otel)."""

EXCEPT: Final = "ExceptIf"

_CONDITIONS = """
    ADComparisonAttribute ADComparisonOperator
    AnyOfCcHeader AnyOfCcHeaderMemberOf
    AnyOfRecipientAddressContainsWords AnyOfRecipientAddressMatchesPatterns
    AnyOfToCcHeader AnyOfToCcHeaderMemberOf AnyOfToHeader AnyOfToHeaderMemberOf
    AttachmentContainsWords AttachmentExtensionMatchesWords AttachmentHasExecutableContent
    AttachmentIsPasswordProtected AttachmentIsUnsupported AttachmentMatchesPatterns
    AttachmentNameMatchesPatterns AttachmentProcessingLimitExceeded
    AttachmentPropertyContainsWords AttachmentSizeOver
    BetweenMemberOf1 BetweenMemberOf2 ContentCharacterSetContainsWords
    From FromAddressContainsWords FromAddressMatchesPatterns FromMemberOf FromScope
    HasClassification HasNoClassification HasSenderOverride
    HeaderContainsMessageHeader HeaderContainsWords
    HeaderMatchesMessageHeader HeaderMatchesPatterns
    ManagerAddresses ManagerForEvaluatedUser MessageContainsDataClassifications
    MessageSizeOver MessageTypeMatches
    RecipientADAttributeContainsWords RecipientADAttributeMatchesPatterns
    RecipientAddressContainsWords RecipientAddressMatchesPatterns RecipientDomainIs
    RecipientInSenderList SCLOver
    SenderADAttributeContainsWords SenderADAttributeMatchesPatterns SenderDomainIs
    SenderInRecipientList SenderIpRanges SenderManagementRelationship
    SentTo SentToMemberOf SentToScope
    SubjectContainsWords SubjectMatchesPatterns
    SubjectOrBodyContainsWords SubjectOrBodyMatchesPatterns WithImportance
"""

_ACTIONS = """
    AddManagerAsRecipientType AddToRecipients ApplyClassification
    ApplyHtmlDisclaimerFallbackAction ApplyHtmlDisclaimerLocation ApplyHtmlDisclaimerText
    ApplyOME ApplyRightsProtectionCustomizationTemplate ApplyRightsProtectionTemplate
    BlindCopyTo CopyTo DeleteMessage Disconnect
    GenerateIncidentReport GenerateNotification IncidentReportContent IncidentReportOriginalMail
    LogEventText ModerateMessageByManager ModerateMessageByUser NotifySender PrependSubject
    Quarantine RedirectMessageTo RejectMessageEnhancedStatusCode RejectMessageReasonText
    RemoveHeader RemoveOME RemoveOMEv2 RemoveRMSAttachmentEncryption
    RouteMessageOutboundConnector RouteMessageOutboundRequireTls
    SetAuditSeverity SetHeaderName SetHeaderValue SetSCL
    SmtpRejectMessageRejectStatusCode SmtpRejectMessageRejectText
"""

CONDITIONS: Final = tuple(_CONDITIONS.split())
ACTIONS: Final = tuple(_ACTIONS.split())
