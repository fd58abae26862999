"""The configuration of a whole set-up, from a few answers: `exosync init --scenario`.

There is one: `split-domain`, mail of one domain split between Exchange Online and another
system. What it writes is valid as it stands, writes nothing (every target is in mode plan), and
holds no secret: only where each is read from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from exosync.starter import filled, head_text, scalar

SPLIT_DOMAIN = "split-domain"
SCENARIOS = (SPLIT_DOMAIN,)


@dataclass(frozen=True, slots=True)
class SplitDomain:
    """The answers that a configuration for a split domain is made from.

    `here` or `there` is the address of a group: of those whose mailboxes are in Exchange Online,
    or of those whose mailboxes are on the other side. `smart_hosts` may be empty for
    google_workspace. `google_admin` and `mimecast` say which of the two is looked after, `alert_to`
    who is told by mail through `smtp_host`.
    """

    domain: str
    tenant: str
    client_id: str
    far_side: str
    smart_hosts: tuple[str, ...] = ()
    here: str = ""
    there: str = ""
    recipients: tuple[str, ...] = ()
    mimecast: bool = False
    google_admin: str = ""
    spf: str = "include"
    alert_to: str = ""
    smtp_host: str = ""
    instance: str = "Worldwide"


def below(label: str, domain: str) -> str:
    """A likely name of one of the domain's servers, in A-labels: those of servers are ASCII."""
    import idna

    domain = domain.removesuffix(".")
    try:
        return f"{label}.{domain if domain.isascii() else idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return f"{label}.{domain}"  # the domain itself is told as wrong


def split_domain_text(answers: SplitDomain) -> str:
    """The whole configuration, commented. Raises ValueError for control characters."""
    values = {"INSTANCE": answers.instance, "DOMAIN": answers.domain, "PATH": ""}
    head = filled(head_text(), values)
    if answers.alert_to:
        head = head.replace("  channels: []\n", f"  channels:\n{''.join(_channel(answers))}", 1)
        head = "".join(_without_examples(head.splitlines(keepends=True)))
    parts = [_exchange(answers), _spf(answers)]
    parts += [_mimecast(answers)] if answers.mimecast else []
    parts += [_google(answers)] if answers.google_admin else []
    return head + "\n".join("".join(part) for part in parts)


def _without_examples(lines: list[str]) -> Iterator[str]:
    """The head without the channels that are only shown as examples."""
    inside = False
    for line in lines:
        inside = line.startswith("  #  - name:") or (inside and line.startswith("  #    "))
        if not inside:
            yield line


def _channel(answers: SplitDomain) -> Iterator[str]:
    yield "    - name: mail\n"
    yield "      kind: mail\n"
    yield f"      to: [{scalar(answers.alert_to)}]\n"
    yield f"      smtp: {{host: {scalar(answers.smtp_host or below('mail', answers.domain))}}}\n"
    yield "      # smtp also takes port, user and password: {file: /run/secrets/smtp}\n"


def _exchange(answers: SplitDomain) -> Iterator[str]:
    routed = ("everyone_but", answers.here) if answers.here else ("group", answers.there)
    yield "  # The way out of Exchange Online: its outbound connector, and the transport rule that uses it.\n"
    yield "  # write: script (the default) shows a person what to run; see docs/guides/exchange.md for rest.\n"
    yield "  - name: exchange\n"
    yield "    kind: exchange\n"
    yield "    mode: plan\n"
    yield f"    tenant: {scalar(answers.tenant)}\n"
    if answers.client_id:
        yield f"    client_id: {scalar(answers.client_id)}\n"
        yield "    credentials:\n"
        yield "      kind: certificate     # or federated, or secret\n"
        yield "      certificate: {file: /run/secrets/exchange-certificate}\n"
    yield f"    domain: {scalar(answers.domain)}\n"
    yield f"    far_side: {scalar(answers.far_side)}\n"
    if answers.smart_hosts:
        yield f"    smart_hosts: {_list(answers.smart_hosts)}\n"
    yield "    tls: any_certificate    # always TLS; trusted or name ask for more\n"
    yield f"    routed: {{{routed[0]}: {scalar(routed[1])}}}\n"
    if answers.recipients:
        yield "    # Mailboxes that are on the other side alone: every check tells the way to them.\n"
        yield f"    validation_recipients: {_list(answers.recipients)}\n"


def _spf(answers: SplitDomain) -> Iterator[str]:
    yield "  # The domain's SPF record must authorise Exchange Online.\n"
    yield "  - name: spf\n"
    yield "    kind: spf\n"
    yield "    mode: plan\n"
    yield f"    domain: {scalar(answers.domain)}\n"
    yield f"    method: {scalar(answers.spf)}\n"
    if answers.spf == "records":
        yield "    dns:\n"
        yield f"      server: {scalar(below('ns1', answers.domain))}\n"
        yield "      key: {name: exosync, algorithm: hmac-sha256, secret: {file: /run/secrets/tsig}}\n"


def _mimecast(answers: SplitDomain) -> Iterator[str]:
    yield "  # Mimecast must not take Exchange Online's mail for spoofed.\n"
    yield "  - name: mimecast\n"
    yield "    kind: mimecast\n"
    yield "    mode: plan\n"
    yield "    client_id: {file: /run/secrets/mimecast-id}\n"
    yield "    client_secret: {file: /run/secrets/mimecast-secret}\n"
    yield f"    domains: [{scalar(answers.domain)}]\n"
    yield "    families: ipv4          # its policies hold no IPv6\n"
    yield "    settings: [anti_spoofing]\n"


def _google(answers: SplitDomain) -> Iterator[str]:
    yield "  # Gmail must let Exchange Online in; a person pastes the list, exosync reads it back.\n"
    yield "  - name: google\n"
    yield "    kind: google_workspace\n"
    yield "    mode: plan\n"
    yield "    customer: my_customer\n"
    yield f"    admin: {scalar(answers.google_admin)}\n"
    yield "    credentials: {kind: key_file, file: {file: /run/secrets/google-key}}\n"
    yield "    setting: email_allowlist\n"


def _list(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(scalar(one) for one in texts)}]"
