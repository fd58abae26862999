"""The harness of a real tenant of Exchange Online: its connectors and rules, read by the adapter."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.secret import SecretRef
from exosync_adapters.exchange.admin.client import Admin
from exosync_adapters.exchange.admin.listing import organisation
from exosync_adapters.exchange.clouds import CLOUDS, Cloud
from exosync_adapters.exchange.records import Call, Organisation, Rule
from exosync_adapters.exchange.settings import ExchangeSettings
from tests.contract.harness import Can, Json
from tests.contract.http import Tapped
from tests.live.mimecast import OWNER
from tests.live.switches import EXCHANGE_PERSON, EXCHANGE_WRITE, ExchangeTenant
from tests.live.way import Way
from tests.standins.exchange_requests import is_write
from tests.standins.web import Request

_MARK = f"exosync:owner={OWNER};target=tried"
_NAME = "exosync contract test"
_MADE_BY_US = "(exosync contract test)"
"""How the comments of what plays other people's objects end: they too are cleaned up."""

_NOWHERE = ("198.51.100.25", "198.51.100.26", "198.51.100.27")
"""Smart hosts of documentation space (RFC 5737): nothing is delivered there."""

_PATIENCE = 120
_PAUSE = 5
_NO_RANGES = "it holds a connector and a rule, and no ranges"
_NOT_WRITTEN = f"exosync only reads: a person runs the scripts, or set {EXCHANGE_WRITE}=rest"


class LiveExchange(Tapped):
    """Connector and rule of one domain, in a tenant that may hold anything else."""

    name = "exchange, real tenant"
    approves = frozenset({"rule_switch_on"})

    def __init__(self, tenant: ExchangeTenant, way: Way) -> None:
        super().__init__()
        self._tenant = tenant
        self._words = ["first"]
        way.answer = lambda request: self.tap(request, way.forward)
        cloud = CLOUDS[tenant.cloud]
        self.where = ("127.0.0.1", *(host.partition("//")[2] for host in _hosts(cloud)))
        self.cannot: Mapping[Can, str] = {
            Can.LISTS: _NO_RANGES,
            Can.STAGES: _NO_RANGES,
            Can.ASK: "its steps do not depend on the version of Microsoft's list",
            Can.SWAP: "the interface has no compare-and-swap: the race that remains is documented",
            Can.LOCK_OUT: "the rights of a real application are not taken away for a test",
            Can.RESTORE: "the Guids of a real tenant cannot be put back",
            **({} if tenant.writes else {Can.WRITE: _NOT_WRITTEN}),
        }
        self.target: Json = {
            "kind": "exchange",
            "url": way.url,
            "cloud": tenant.cloud,
            "tenant": tenant.tenant,
            "client_id": tenant.client_id,
            "credentials": {
                "kind": "certificate",
                "certificate": {"file": str(tenant.certificate_file)},
            },
            "write": "rest" if tenant.writes else "script",
            "domain": tenant.domain,
            "far_side": "other",
            "smart_hosts": [_NOWHERE[0]],
            "routed": {"group": tenant.group},
            "exceptions": {"loop_breaker": {"words": list(self._words)}},
            "connector": _NAME,
            "rule": _NAME,
            "accepted_domain": "leave",
        }
        own = {key: value for key, value in self.target.items() if key != "kind"}
        settings = ExchangeSettings.model_validate({**own, "url": tenant.url or None})
        self._admin = Admin(settings, cloud, reveal=_reveal, pause=time.sleep)

    @property
    def secrets(self) -> tuple[str, ...]:
        """The lines of the private key."""
        lines = self._tenant.certificate_file.read_text(encoding="utf-8").splitlines()
        last = next(n for n, one in enumerate(lines) if one.startswith("-----END") and "KEY" in one)
        first = next(n for n, one in enumerate(lines) if "KEY-----" in one)
        return tuple(lines[first + 1 : last])

    def state(self) -> object:
        """All domains, connectors and rules, as they read."""
        found = self._organisation()
        return found.domains, found.connectors, found.rules

    def listed(self) -> IpRanges:
        """None ever."""
        return IpRanges()

    def held(self) -> object:
        """What carries our mark, in what matters of it."""
        found = self._organisation()
        connectors = [
            (one.name, one.enabled, one.scoped, one.use_mx, list(one.smart_hosts))
            for one in found.connectors
            if _ours(one.comment)
        ]
        return connectors, [_told(one) for one in found.rules if _ours(one.comments)]

    def goal(self) -> object:
        """As the configuration says."""
        connector = (_NAME, True, True, False, self.target["smart_hosts"])
        return [connector], [(_NAME, True, "Enforce", [self._tenant.domain], self._words)]

    def change(self) -> None:
        """Another host and another word."""
        self._words = ["second"]
        self.target["smart_hosts"] = list(_NOWHERE[1:])
        self.target["exceptions"] = {"loop_breaker": {"words": list(self._words)}}

    def foreign(self) -> object:
        """Everything without our mark; a rule's place may move with ours."""
        found = self._organisation()
        rules = [one for one in found.rules if not _ours(one.comments)]
        return (
            [one for one in found.connectors if not _ours(one.comment)],
            [(one.guid, one.name, one.enabled, one.conditions, one.actions) for one in rules],
        )

    def add_foreign(self) -> None:
        """A connector for rules alone that no rule names; what else is there will do besides."""
        if self._tenant.writes:
            self._make_connector("another", _MADE_BY_US, [_NOWHERE[0]])

    def put_by_hand(self, ranges: IpRanges) -> None:
        """Connector and rule as the admin center makes them, without a mark; the rule disabled."""
        self._must_write()
        self._make_connector("", _MADE_BY_US, [_NOWHERE[2]])
        rule = {
            "Name": _NAME,
            "Enabled": False,
            "Comments": _MADE_BY_US,
            "RecipientDomainIs": [self._tenant.domain],
            "SentToMemberOf": [self._tenant.group],
            "RouteMessageOutboundConnector": _NAME,
        }
        self._do(Call("New-TransportRule", rule))

    def damage(self) -> None:
        """The connector is given another host."""
        self._must_write()
        (ours,) = (one for one in self._organisation().connectors if _ours(one.comment))
        self._do(
            Call("Set-OutboundConnector", {"Identity": ours.guid, "SmartHosts": [_NOWHERE[2]]})
        )

    def do(self, task: Json) -> None:
        """A person runs the script, and the tenant is looked at until something is other."""
        if not self._tenant.patience:
            pytest.skip(f"{self.name}: nobody is there to run a script: set {EXCHANGE_PERSON}")
        before = self.state()
        with tempfile.NamedTemporaryFile("w", suffix=".ps1", encoding="utf-8-sig") as script:
            script.write(task["box"])
            script.flush()
            _tell(f"\nConnect-ExchangeOnline; . {script.name}; Invoke-ExosyncStep\n")
            self._wait(before, self._tenant.patience)

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """See `cannot`."""
        yield

    def snapshot(self) -> Callable[[], None]:
        """See `cannot`."""
        raise AssertionError

    def clean_up(self) -> None:
        """Remove what carries the tests' own mark, and what they made to stand for others."""
        if not self._tenant.writes:
            return
        found = self._organisation()
        for rule in (one for one in found.rules if _of_tests(one.comments)):
            self._admin.write(Call("Disable-TransportRule", {"Identity": rule.guid}))
            self._admin.write(Call("Remove-TransportRule", {"Identity": rule.guid}))
        for connector in (one for one in found.connectors if _of_tests(one.comment)):
            off = {"Identity": connector.guid, "Enabled": False}
            self._admin.write(Call("Set-OutboundConnector", off))
            self._admin.write(Call("Remove-OutboundConnector", {"Identity": connector.guid}))

    def _is_write(self, request: Request) -> bool:
        return is_write(request)

    def _organisation(self) -> Organisation:
        found = organisation(self._admin)
        assert not found.incomplete, f"a listing is not whole: {found.incomplete}"
        return found

    def _make_connector(self, more: str, comment: str, hosts: list[str]) -> None:
        made = {
            "Name": f"{_NAME} {more}".strip(),
            "ConnectorType": "Partner",
            "IsTransportRuleScoped": True,
            "UseMXRecord": False,
            "SmartHosts": hosts,
            "TlsSettings": "EncryptionOnly",
            "Comment": comment,
        }
        self._do(Call("New-OutboundConnector", made))

    def _do(self, call: Call) -> None:
        """One write of our own, past the count; a tenant may take a while to show it."""
        before = self.state()
        self._admin.write(call)
        self._wait(before, _PATIENCE)

    def _wait(self, before: object, seconds: float) -> None:
        until = time.monotonic() + seconds
        while self.state() == before:
            assert time.monotonic() < until, "nothing changed in time"
            time.sleep(_PAUSE)

    def _must_write(self) -> None:
        if not self._tenant.writes:
            pytest.skip(f"{self.name}: {_NOT_WRITTEN}")


def _told(rule: Rule) -> tuple[Any, ...]:
    domains = [*rule.conditions.get("RecipientDomainIs", ())]
    words = [*rule.exceptions.get("ExceptIfHeaderContainsWords", ())]
    return rule.name, rule.enabled, rule.mode, domains, words


def _ours(comment: str) -> bool:
    return comment.splitlines()[-1:] == [_MARK]


def _of_tests(comment: str) -> bool:
    return _ours(comment) or comment.endswith(_MADE_BY_US)


def _hosts(cloud: Cloud) -> Iterable[str]:
    return cloud.exchange, cloud.login, cloud.graph


def _tell(text: str) -> None:
    """To the terminal itself: pytest keeps everything else."""
    with Path("/dev/tty").open("w", encoding="utf-8") as terminal:
        terminal.write(text)


def _reveal(secret: SecretRef) -> str:
    assert secret.file is not None
    return Path(secret.file).read_text(encoding="utf-8")


@contextmanager
def live_exchange(tenant: ExchangeTenant) -> Iterator[LiveExchange]:
    """A harness around the tenant, cleaned up before and after if the tests may write there."""
    cloud = CLOUDS[tenant.cloud]

    def base_of(path: str) -> str:
        if tenant.url:
            return tenant.url
        if path.startswith("/adminapi/"):
            return cloud.exchange
        return cloud.login if "/oauth2/" in path or "/.well-known/" in path else cloud.graph

    with Way(base_of) as way:
        harness = LiveExchange(tenant, way)
        harness.clean_up()
        try:
            yield harness
        finally:
            harness.clean_up()
