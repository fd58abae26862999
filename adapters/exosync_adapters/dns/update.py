"""Messages that change a zone (RFC 2136), signed with TSIG (RFC 8945), and their sending."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING

import dns.message
import dns.name
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT
import dns.tsig

from exosync.errors import TargetError
from exosync_adapters.dns.errors import Attempt, clock_of, rcode_error, silence_error, verified
from exosync_adapters.dns.values import Key, TxtRRset
from exosync_adapters.dns.wire import Silence, exchange

if TYPE_CHECKING:
    from dns.update import UpdateMessage


def swap(attempt: Attempt, old: TxtRRset | None, new: TxtRRset | None) -> UpdateMessage:
    """The update that puts `new` in the place of `old`, and fails if `old` is not there.

    The prerequisites are those of RFC 2136, section 2.4.2 (all values, byte for byte, but
    not the TTL) or 2.4.3, and that no CNAME stands there: beside one, an addition would be
    dropped without a word (section 3.4.2.2).
    """
    update, name = _message(attempt), dns.name.from_text(attempt.name)
    if old is not None and old.exists:
        update.present(name, *_rdatas(old))
        update.delete(name, dns.rdatatype.TXT)
    else:
        update.absent(name, dns.rdatatype.TXT)
    update.absent(name, dns.rdatatype.CNAME)
    if new is not None and new.ttl is not None:
        update.add(name, new.ttl, *_rdatas(new))
    return update


def probe(attempt: Attempt) -> UpdateMessage:
    """An update that needs the permission to change TXT at the name, and changes nothing.

    It deletes one record that cannot be there, which a server must ignore (RFC 2136, section
    3.4.2.4). It has no prerequisites: a server may test those before the permission (sections
    3.2 and 3.3), and would then answer on them alone.
    """
    update = _message(attempt)
    text = f"exosync permission check {secrets.token_hex(16)}"
    absent = TxtRRset.of(attempt.name, 0, text)
    update.delete(dns.name.from_text(attempt.name), *_rdatas(absent))
    return update


def _message(attempt: Attempt) -> UpdateMessage:
    from dns.update import UpdateMessage

    update = UpdateMessage(dns.name.from_text(attempt.zone))
    if attempt.key is not None:
        update.use_tsig(_tsig(attempt.key))
    return update


def _tsig(key: Key) -> dns.tsig.Key:
    return dns.tsig.Key(dns.name.from_text(key.name), key.secret, f"{key.algorithm}.")


def _rdatas(rrset: TxtRRset) -> list[dns.rdtypes.ANY.TXT.TXT]:
    return [
        dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, value)
        for value in rrset.values
    ]


def send(attempt: Attempt, message: dns.message.Message, *, timeout: float) -> None:
    """Have a message carried out. With a key, only a success with a right signature counts.

    Raises what `dns_errors` makes of everything else.
    """
    response, signed = _answer(attempt, message, timeout)
    if error := rcode_error(attempt, response.rcode(), signed=signed):
        raise error
    if attempt.key is not None and not signed:
        raise TargetError(
            f"{attempt.server.label}: says that it did what was asked, but without a signature; "
            f"somebody else may have answered, so read {attempt.name} again"
        )


def signed_clock(attempt: Attempt, key: Key, *, timeout: float) -> int | None:
    """Seconds that the server's clock is ahead of ours, by a signed query for the zone's SOA.

    Any signed answer tells it, even one that refuses the query; None if there is no signature.
    """
    query = dns.message.make_query(attempt.zone, "SOA", flags=0, use_edns=False)
    query.use_tsig(_tsig(key))
    response, signed = _answer(attempt, query, timeout)
    if not signed and (error := rcode_error(attempt, response.rcode(), signed=False)):
        raise error
    return clock_of(response, time.time())


def _answer(
    attempt: Attempt, message: dns.message.Message, timeout: float
) -> tuple[dns.message.Message, bool]:
    try:
        wire = exchange(attempt.server, message.to_wire(), timeout=timeout)
    except Silence as silence:
        raise silence_error(attempt, str(silence), sent=silence.sent) from silence
    return verified(attempt, wire, message, now=time.time())
