"""The commented configuration that `exosync init` writes."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping

_HEAD = """\
# Configuration of exosync. Whatever is left out has its default; `exosync config show` prints
# what is in force, `exosync check` tries it, `exosync plan` shows what would be done.
# For help in editors: exosync config schema > exosync.schema.json, and this as the first line:
#   # yaml-language-server: $schema=exosync.schema.json

feed:
  # Microsoft's cloud that the mailboxes are in: Worldwide (GCC too), China, USGovDoD, USGovGCCHigh
  instance: @INSTANCE@
  # proxy: http://proxy.example.com:3128   # on the way to Microsoft; default: HTTPS_PROXY
  # ca_bundle: /etc/ssl/certs/own.pem      # CA certificates to trust instead of the usual ones

# Where versions, plans, runs and approvals are remembered; relative to this file's folder.
state: sqlite:///exosync.db

# Name in the marks of ownership; another one for each installation that shares a target.
owner: exosync

ranges:
  # How long an address stays after Microsoft has removed it: some came back after 19 days.
  grace: 30d
  # Ranges to have besides, each with a name and a reason. Microsoft lists its relay pool nowhere:
  # forwarded mail, and mail from senders that are none of your accepted domains, leaves from it.
  extra: []
  #  - cidr: 40.95.0.0/16
  #    name: relay pool
  #    reason: our users forward mail to the other side
  # Ranges to leave out although Microsoft publishes them, in the same form.
  exclude: []

guards:
  # What exceeds these is refused until a person approves that very plan.
  min_ranges: 4       # Microsoft's list must hold at least so many ranges
  max_shrink: 10%     # most that one plan may remove of what is there
  max_growth: 50%     # most that one plan may add to what is there

# What `exosync serve` goes by, and whom it tells. One-shot commands tell people too.
schedule:
  targets: 1h         # how often each target is run; or a cron expression in UTC, "*/30 * * * *"
  windows: []         # write only then, for example ["Mon-Fri 09:00-17:00 Europe/Berlin"]
web:
  listen: "127.0.0.1:8620"   # the page; another address needs a token: {file: …} in web.token
alerts:
  stale_after: 48h    # silence of Microsoft's list, or of a target, is told after that
  channels: []
  #  - name: ops
  #    kind: mail
  #    to: [postmaster@@DOMAIN@]
  #    smtp: {host: mail.@DOMAIN@, port: 587, user: exosync, password: {file: /run/secrets/smtp}}
  #  - name: hook
  #    kind: webhook
  #    url: https://hooks.@DOMAIN@/exosync
  #    secret: {file: /run/secrets/hook}

log:
  level: info         # debug, info, warning or error
  format: auto        # lines on a terminal, JSON otherwise

# The places that must know the ranges. The mode says who writes:
#   watch   nobody: differences are only told
#   plan    a person, by `exosync apply PLAN`
#   apply   every `exosync sync`
targets:
"""

_FILE = """\
  # A file for another program: plain, json, csv, nftables, ipset, postfix, rspamd, haproxy,
  # terraform, or template for a text of your own.
  - name: file
    kind: file
    mode: plan
    path: @PATH@
    format: plain
    # families: ipv4    # both, ipv4 or ipv6
"""

_SPF = """\
  # The domain's SPF record, read from its DNS servers. Method include: the record includes
  # Microsoft's own. Method records: exosync publishes the ranges at _exo.<domain> instead.
  - name: spf
    kind: spf
    mode: plan
    domain: @DOMAIN@
    method: include
    # manage: apex      # let exosync edit that one record; without it, a person does
    # dns:              # needed where exosync writes: RFC 2136 updates with a TSIG key
    #   server: ns1.example.com
    #   key:
    #     name: exosync
    #     algorithm: hmac-sha256
    #     secret: {file: /run/secrets/tsig}   # or {env: NAME}; never the secret itself
"""

_MIMECAST = """\
  # One Mimecast account, by API 2.0 (product Policy Management, role Gateway | Policies | Edit).
  # anti_spoofing: policies that exosync writes. permitted_senders: a list that only a person can
  # enter in the console; exosync todo has it ready to paste.
  - name: mimecast
    kind: mimecast
    mode: plan
    client_id: {file: /run/secrets/mimecast-id}
    client_secret: {file: /run/secrets/mimecast-secret}
    domains: [@DOMAIN@]
    settings: [anti_spoofing]
"""

_GOOGLE = """\
  # One of two settings of Gmail: email_allowlist (read by Google's API, written by a person) or
  # inbound_gateway (neither; a person acknowledges it). Needs pip install 'exosync[google]'.
  - name: google
    kind: google_workspace
    mode: plan
    customer: my_customer
    admin: postmaster@@DOMAIN@
    credentials: {kind: key_file, file: {file: /run/secrets/google-key}}   # keyless is safer
    setting: email_allowlist
"""

_EXCHANGE = """\
  # The way out of Exchange Online: the outbound connector and the transport rule that send the mail
  # of those whose mailboxes are elsewhere to the other side. Nothing is read without credentials.
  # Needs pip install 'exosync[exchange]'. exosync init --scenario split-domain asks for the rest.
  - name: exchange
    kind: exchange
    mode: plan
    tenant: 00000000-0000-0000-0000-000000000000      # the tenant's id
    # client_id: 00000000-0000-0000-0000-000000000000 # the application's
    # credentials: {kind: certificate, certificate: {file: /run/secrets/exchange-certificate}}
    domain: @DOMAIN@
    far_side: google_workspace                        # or mimecast, or other: with smart_hosts
    routed: {everyone_but: here@@DOMAIN@}             # the group of those whose mailboxes are here
"""

_TARGETS = {
    "file": _FILE,
    "spf": _SPF,
    "mimecast": _MIMECAST,
    "google_workspace": _GOOGLE,
    "exchange": _EXCHANGE,
}

STARTERS = tuple(_TARGETS)
"""The kinds that there is an example of."""


def starter_text(
    *,
    instance: str = "Worldwide",
    domain: str = "example.com",
    path: str = "exchange-online.cidr",
    kinds: Collection[str] = ("file", "spf"),
) -> str:
    """A configuration to start from, with a target of each of `kinds`, all in mode plan.

    It is valid as it stands, and nothing in it writes. Raises ValueError for a kind that it
    has no example of or for none, and for control characters.
    """
    unknown = [kind for kind in kinds if kind not in _TARGETS]
    if unknown or not kinds:
        known = ", ".join(_TARGETS)
        raise ValueError(f"there are examples of {known}, not of {', '.join(unknown) or 'nothing'}")
    text = _HEAD + "\n".join(part for kind, part in _TARGETS.items() if kind in kinds)
    return filled(text, {"INSTANCE": instance, "DOMAIN": domain, "PATH": path})


def head_text() -> str:
    """Everything of the configuration before its targets, with gaps for `filled`."""
    return _HEAD


def filled(text: str, values: Mapping[str, str]) -> str:
    """A text with `@NAME@` replaced by values that read in YAML as what they are.

    Raises ValueError for control characters.
    """
    gaps = {f"@{name}@": value for name, value in values.items()}
    return re.sub("|".join(gaps), lambda found: scalar(gaps[found[0]]), text)


def scalar(text: str) -> str:
    """A text as YAML that reads as that text."""
    if not text.isprintable():
        raise ValueError(f"{text!a} holds control characters")
    if _PLAIN.fullmatch(text) and text.lower() not in ("true", "false", "null"):
        return text
    return json.dumps(text, ensure_ascii=False)


_PLAIN = re.compile(r"[A-Za-z/][A-Za-z0-9./_-]*")
