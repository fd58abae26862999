"""Messages that are sent from a real tenant, and looked for in a real mailbox."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

from exosync.core.secret import SecretRef
from exosync.core.target import Context
from exosync_adapters import exchange, google_workspace
from tests.live.mimecast import OWNER
from tests.live.switches import ExchangeTenant, GoogleAccount


def sending_target(tenant: ExchangeTenant, sender: str) -> Any:
    """A target that only reads, and may send from one mailbox."""
    settings = {
        "url": tenant.url or None,
        "cloud": tenant.cloud,
        "tenant": tenant.tenant,
        "client_id": tenant.client_id,
        "credentials": {
            "kind": "certificate",
            "certificate": {"file": str(tenant.certificate_file)},
        },
        "domain": tenant.domain,
        "far_side": "other",
        "smart_hosts": ["198.51.100.25"],  # asked by nobody: documentation space (RFC 5737)
        "routed": {"group": tenant.group},
        "try_hosts": "never",
        "probe": {"user": sender},
    }
    return exchange.kind.build("live", exchange.kind.settings.model_validate(settings), _context())


def looking_target(account: GoogleAccount) -> Any:
    """A target that asks for nothing but mailboxes."""
    settings = {
        "url": account.url or None,
        "customer": account.customer,
        "admin": account.admin,
        "credentials": {"kind": "key_file", "file": {"file": str(account.key_file)}},
        "setting": "inbound_gateway",
        "audit": False,
        "mailbox_headers": True,
    }
    kind = google_workspace.kind
    return kind.build("live", kind.settings.model_validate(settings), _context())


def _context() -> Context:
    return Context(
        owner=OWNER,
        families="both",
        instance="Worldwide",
        base=Path(),
        reveal=_reveal,
        pause=time.sleep,
    )


def _reveal(secret: SecretRef) -> str:
    assert secret.file is not None
    return Path(secret.file).read_text(encoding="utf-8")
