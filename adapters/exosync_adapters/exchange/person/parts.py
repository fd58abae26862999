"""The parts of a script that are the same for every step: how it reads and compares.

Each call names `-ErrorAction` and `-Confirm` itself: the commands of Exchange Online are
functions of a module, which see no preference of their caller's (PowerShell/PowerShell#4568).
Nothing stands between double quotes, so nothing is expanded; no line is empty, so the whole can
be pasted into any console.
"""

from __future__ import annotations

SESSION = """\
$sessions = @(Get-ConnectionInformation -ErrorAction Stop | Where-Object { $_.State -eq 'Connected' -and -not $_.IsEopSession })
if (-not $sessions.Count) { throw 'There is no connection to Exchange Online: run Connect-ExchangeOnline first.' }
foreach ($session in $sessions) {
    if ([string] $session.TenantID -ne $tenant) {
        throw ('Connected to the tenant {0}, but this is for {1}. Nothing was changed.' -f $session.TenantID, $tenant)
    }
}
"""
"""That every session is one of the right tenant (Get-ConnectionInformation: State, TenantID)."""

MARKED = """\
function Test-ExosyncMark([string] $Text) {
    $lines = @($Text -split [char] 10 | ForEach-Object { $_.TrimEnd() } | Where-Object { $_ })
    return $lines.Count -and $lines[-1] -ceq $mark
}
"""
"""Whether the mark is the last line of a comment: in the middle it may be somebody's copy."""

CONNECTORS = """\
function Get-ExosyncConnector {
    $all = @()
    foreach ($scoped in @($false, $true)) {
        foreach ($test in @($false, $true)) {
            $all += @(Get-OutboundConnector -IsTransportRuleScoped:$scoped -IncludeTestModeConnectors:$test -ResultSize Unlimited -WarningAction SilentlyContinue -ErrorAction Stop)
        }
    }
    return $all | Sort-Object -Property Guid -Unique
}
"""
"""All connectors: a listing leaves out those for rules alone and in test mode, or gives only them
(Get-OutboundConnector).
"""

RULES = """\
function Get-ExosyncRule {
    return Get-TransportRule -ResultSize Unlimited -ErrorAction Stop
}
"""

DOMAINS = """\
function Get-ExosyncDomain {
    return Get-AcceptedDomain -ResultSize Unlimited -ErrorAction Stop
}
"""

SAME = """\
function Get-ExosyncText($Exact, $Value) {
    $text = ([string] $Value).Replace([string] [char] 13, '').Trim()
    if ($Exact) { return $text }
    return $text.Trim('[]').TrimEnd('.')
}
function Test-ExosyncSame([string] $Property, $There, $Wanted) {
    $exact = @('Name', 'Comment', 'Comments', 'SetHeaderName', 'SetHeaderValue', 'ExceptIfHeaderContainsWords') -contains $Property
    $left = @($There | ForEach-Object { Get-ExosyncText $exact $_ } | Where-Object { $_ } | Sort-Object)
    $right = @($Wanted | ForEach-Object { Get-ExosyncText $exact $_ } | Where-Object { $_ } | Sort-Object)
    if ($exact) { return ($left -join [char] 10) -ceq ($right -join [char] 10) }
    return ($left -join [char] 10) -eq ($right -join [char] 10)
}
function Test-ExosyncProperty($There, $Property, $Wanted) {
    $value = $There.$Property
    if ($Property -eq 'Enabled' -and $null -eq $value) { $value = $There.State -eq 'Enabled' }
    if ($Property -eq 'RouteMessageOutboundConnector') { return @($connector[0].Name, [string] $connector[0].Guid) -contains [string] $value }
    if ($Property -eq 'RecipientDomainIs') { $value = @($value | ForEach-Object { if ($names -contains ([string] $_).TrimEnd('.')) { $names[0] } else { $_ } }) }
    return Test-ExosyncSame $Property $value $Wanted
}
function Get-ExosyncDifference($There, $Wanted) {
    foreach ($property in @($Wanted.Keys | Sort-Object)) {
        if (-not (Test-ExosyncProperty $There $property $Wanted[$property])) { $property }
    }
}
"""
"""What of a hash table an object has otherwise; null, empty and absent are the same.

The order of lists is not looked at, nor, but of what people wrote, the case, a dot at the end and
brackets around an address. A rule gives its connector by name, even if it was set by Guid, and may give its domain
as people write it; it has State and no Enabled.
"""

SELECTED = """\
function Select-ExosyncOwn($Objects) {
    $known = @($Objects | Where-Object { $guid -and [string] $_.Guid -eq $guid })
    if ($known.Count) { return $known }
    return $Objects | Where-Object { Test-ExosyncMark $_.NOTE }
}
"""
"""Ours: by the Guid that is known, else by the mark; never by the name."""

SELECTED_TO_GO = """\
function Select-ExosyncOwn($Objects) {
    return $Objects | Where-Object { [string] $_.Guid -eq $guid }
}
"""
"""What is to go, where its Guid is known: once it is gone, another with the mark is a copy."""

CONNECTOR_FOUND = "$connector = @(Get-ExosyncConnector | Where-Object { $_.Name -eq $needed -or [string] $_.Guid -eq $needed })"
"""The connector that a rule routes to."""

CONNECTOR_READY = """\
if ($connector.Count -ne 1) { throw ('The outbound connector {0} is not there: create it first. Nothing was changed.' -f $needed) }
if (-not (Test-ExosyncMark $connector[0].Comment)) { throw ('The outbound connector {0} does not carry the mark of exosync. Nothing was changed.' -f $needed) }
if (-not $connector[0].Enabled) { throw ('The outbound connector {0} is disabled. Nothing was changed.' -f $needed) }
if (-not $connector[0].IsTransportRuleScoped) { throw ('The outbound connector {0} takes other mail than that of rules. Nothing was changed.' -f $needed) }
if ($connector[0].TestMode) { throw ('The outbound connector {0} is in test mode. Nothing was changed.' -f $needed) }
"""
"""What a rule needs before it may point anywhere."""

CONNECTOR_UNUSED = """\
if ($own.Count) {
    $users = @(Get-ExosyncRule | Where-Object { @($own[0].Name, [string] $own[0].Guid) -contains [string] $_.RouteMessageOutboundConnector })
    if ($users.Count) { throw ('Rules still send mail to this connector: {0}. Nothing was changed.' -f (@($users | ForEach-Object { $_.Name }) -join ', ')) }
}
"""
"""That no rule names a connector that goes, on or off: it could be switched on again."""

RULE_ACTS = """\
$acting = @(Get-ExosyncRule | Where-Object { (Test-ExosyncMark $_.Comments) -and $_.State -eq 'Enabled' -and $_.Mode -eq 'Enforce' })
if (-not $acting.Count) { throw 'No rule with the mark of exosync is on, so mail to who is not known here would go where the MX record leads: run exosync sync again. Nothing was changed.' }
"""
"""What a domain needs before it passes on whom it does not know."""

CLASSES = "$classes = @(@($own[0].Conditions, $own[0].Exceptions, $own[0].Actions) | ForEach-Object { $_ } | Where-Object { $_ } | ForEach-Object { ([string] $_ -split '[.]')[-1] })"
"""The classes of a rule's conditions, exceptions and actions, without where they are from."""

SHOWN = {
    "OutboundConnector": (
        "Name Guid Enabled ConnectorType IsTransportRuleScoped UseMXRecord SmartHosts "
        "RecipientDomains TlsSettings TlsDomain TestMode Comment"
    ),
    "TransportRule": (
        "Name Guid State Mode Priority RecipientDomainIs SentToMemberOf "
        "ExceptIfSentToMemberOf ExceptIfHeaderContainsMessageHeader "
        "ExceptIfHeaderContainsWords SetHeaderName SetHeaderValue "
        "RouteMessageOutboundConnector StopRuleProcessing Comments"
    ),
    "AcceptedDomain": "DomainName DomainType MatchSubDomains Default",
}
"""What is printed in the end of each kind of object."""
