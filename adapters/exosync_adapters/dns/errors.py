"""What a server's refusal of a signed message means, as errors of the tree.

Each code of RFC 2136, section 2.2, and of RFC 8945, section 5.3, has a sentence of its own
that says what to do. A code that comes unsigned proves nothing, so nobody may conclude from
any of these that nothing was written, except from a signed refusal.
"""

from __future__ import annotations

from dataclasses import dataclass

import dns.exception
import dns.message
import dns.rcode
import dns.rdtypes.ANY.TSIG
import dns.tsig

from exosync.errors import TargetConflict, TargetDenied, TargetError, TargetUnreachable
from exosync_adapters.dns.values import Key, Server


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried, for the sentences: which server, zone and name, with which key.

    `writes` is false for what changes nothing even if it is carried out.
    """

    server: Server
    zone: str
    name: str
    key: Key | None
    writes: bool = True


def silence_error(attempt: Attempt, reason: str, *, sent: bool) -> TargetUnreachable:
    """No answer came. If the request had left, it may have been carried out all the same."""
    where = f"{attempt.server.label}: {reason}"
    if sent and not attempt.writes:
        return TargetUnreachable(f"{where}; see whether it is overloaded, or raise dns.timeout")
    if sent:
        return TargetUnreachable(
            f"{where}; the change of {attempt.name} may or may not have been made: read it again"
        )
    return TargetUnreachable(f"{where}; nothing was sent: check dns.server, dns.port and firewalls")


def rcode_error(attempt: Attempt, rcode: dns.rcode.Rcode, *, signed: bool) -> TargetError | None:
    """The error for a response code; None for NOERROR. `signed`: the answer was, and rightly."""
    if rcode == dns.rcode.NOERROR:
        return None
    unsigned = "" if signed or attempt.key is None else " (the answer was not signed)"
    where = f"{attempt.server.label}{unsigned}"
    if rcode in _CONFLICTS:
        return TargetConflict(f"{where}: {attempt.name} {_CONFLICTS[rcode]}; plan again")
    if rcode in (dns.rcode.REFUSED, dns.rcode.NOTAUTH) and not signed:
        return TargetDenied(f"{where}: {_not_let_in(attempt, rcode)}")
    if rcode == dns.rcode.REFUSED:
        return TargetDenied(f"{where}: {_refused(attempt)}")
    reason = _REASONS.get(rcode, f"answered with the code {dns.rcode.to_text(rcode)}; see its log")
    return TargetError(f"{where}: {reason.format(zone=attempt.zone, name=attempt.name)}")


_CONFLICTS = {
    dns.rcode.NXRRSET: "no longer holds the TXT records that were read",
    dns.rcode.YXRRSET: "holds records where none should be: TXT that was not read, or a CNAME",
    dns.rcode.NXDOMAIN: "no longer exists",
    dns.rcode.YXDOMAIN: "exists where it should not",
}

_REASONS = {
    dns.rcode.NOTAUTH: "is not authoritative for the zone {zone}; give the zone's primary "
    "as dns.server, and dns.zone if the zone has another name",
    dns.rcode.NOTZONE: "{name} is not in the zone {zone}; correct dns.zone",
    dns.rcode.FORMERR: "does not understand the update; is it a DNS server that takes updates "
    "(RFC 2136)?",
    dns.rcode.SERVFAIL: "could not carry the update of {zone} out; see its log (a full disk, or "
    "a folder that it may not write its journal to, are usual reasons)",
    dns.rcode.NOTIMP: "does not take updates (RFC 2136); give another server as dns.server",
}


def _not_let_in(attempt: Attempt, rcode: dns.rcode.Rcode) -> str:
    """PowerDNS refuses a wrong key unsigned, and Knot DNS calls a missing one NOTAUTH."""
    if attempt.key is None:
        other = "" if rcode == dns.rcode.REFUSED else f", or does not serve the zone {attempt.zone}"
        return f"refuses an update of {attempt.name} without a key{other}; set dns.key"
    other = f"serve the zone {attempt.zone}"
    if rcode == dns.rcode.REFUSED:
        other = f"let it update {attempt.name}"
    return (
        f"either does not accept the key {attempt.key.name} (its name, algorithm or secret, or "
        f"the clock) or does not {other}; its log tells which"
    )


def _refused(attempt: Attempt) -> str:
    name = attempt.key.name if attempt.key else ""
    return (
        f"the key {name} may not update TXT at {attempt.name}; on BIND, the zone "
        f"{attempt.zone} needs `update-policy {{ grant {name} name {attempt.name}. TXT; }};` "
        "(or the zone is frozen)"
    )


def verified(
    attempt: Attempt, wire: bytes, query: dns.message.Message, *, now: float
) -> tuple[dns.message.Message, bool]:
    """The answer to a signed or unsigned message, and whether it bears a right signature.

    A code may come unsigned; success may not. Raises TargetDenied where the server did not
    accept the key, the signature or the clock, TargetError where the answer is no answer.
    """
    try:
        response = dns.message.from_wire(wire, keyring=False)
        if not query.is_response(response):
            raise TargetError(f"{attempt.server.label}: its answer belongs to another request")
        if query.keyring and response.had_tsig:
            dns.message.from_wire(wire, keyring=query.keyring, request_mac=query.mac)
    except dns.tsig.PeerError as error:
        raise TargetDenied(f"{attempt.server.label}: {_peer(attempt, error, wire, now)}") from None
    except (dns.tsig.BadSignature, dns.tsig.BadKey, dns.tsig.BadAlgorithm, dns.tsig.BadTime) as e:
        raise TargetError(
            f"{attempt.server.label}: the signature of its answer is not right ({e}); somebody "
            f"else may have answered, so read {attempt.name} again"
        ) from None
    except dns.message.UnknownTSIGKey:
        raise TargetError(
            f"{attempt.server.label}: its answer is signed with another key than it was asked with"
        ) from None
    except dns.exception.DNSException as error:
        raise TargetError(
            f"{attempt.server.label}: its answer is not valid DNS ({error})"
        ) from None
    return response, response.had_tsig


def _peer(attempt: Attempt, error: dns.tsig.PeerError, wire: bytes, now: float) -> str:
    name = attempt.key.name if attempt.key else ""
    algorithm = attempt.key.algorithm if attempt.key else ""
    match error:
        case dns.tsig.PeerBadKey():
            return (
                f"does not accept the key {name} with {algorithm} (BADKEY): it does not know it "
                f"or, if it is Knot DNS, no acl lets it update {attempt.name}; check dns.key.name "
                "and dns.key.algorithm against the server's configuration"
            )
        case dns.tsig.PeerBadSignature():
            return (
                f"the secret of the key {name} is not the server's (BADSIG); check dns.key.secret"
            )
        case dns.tsig.PeerBadTime():
            return f"{_clocks(wire, now)} (BADTIME); set the time on both machines (NTP)"
        case dns.tsig.PeerBadTruncation():
            return f"wants a longer signature than {algorithm} makes (BADTRUNC); use hmac-sha256"
        case _:
            return f"did not accept the signature of the key {name} ({error})"


def _clocks(wire: bytes, now: float) -> str:
    """How far the clocks differ: with BADTIME a server sends its own (RFC 8945, 5.2.3)."""
    difference = clock_of(dns.message.from_wire(wire, keyring=False), now)
    if difference is None:
        return "its clock and ours differ by more than the signature allows"
    return f"its clock is {abs(difference)} s {'ahead of' if difference > 0 else 'behind'} ours"


def clock_of(response: dns.message.Message, now: float) -> int | None:
    """Seconds that the signer's clock is ahead of `now` (Unix time); None if it does not tell.

    A signer tells whole seconds, cut off, so on average it is half a second later there.
    """
    if response.tsig is None:
        return None
    signature = response.tsig[0]
    assert isinstance(signature, dns.rdtypes.ANY.TSIG.TSIG)
    theirs = int(signature.time_signed)
    if signature.error == dns.rcode.BADTIME:
        # The time signed is then the asker's own, and the server's stands beside it.
        if len(signature.other) != 6:
            return None
        theirs = int.from_bytes(signature.other, "big")
    return round(theirs + 0.5 - now)
