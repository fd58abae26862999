"""The harness of the kind `exchange`, written by exosync itself (`write: rest`)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exosync.core.ranges import IpRanges
from tests.contract.harness import Can, Json
from tests.contract.http import Tapped
from tests.standins.exchange import ExchangeStandIn, Switches
from tests.standins.exchange_clouds import CloudName
from tests.standins.exchange_requests import is_write
from tests.standins.web import Reply, Request

CLIENT_SECRET = "contract-secret-of-exchange-7e41"
_DOMAIN, _NAME = "example.com", "exosync example.com"
_MARK = "exosync:owner=exosync;target=tried"
_NO_RANGES = "it holds a connector and a rule, and no ranges"
_OF_CONNECTOR = ("Name", "Enabled", "IsTransportRuleScoped", "UseMXRecord", "SmartHosts")
_OF_RULE = ("Name", "State", "Mode", "RecipientDomainIs", "ExceptIfHeaderContainsWords")


class _Tenant(ExchangeStandIn):
    """Lets its harness hear every request first."""

    harness: ExchangeHarness

    def reply(self, request: Request) -> Reply:
        return self.harness.tap(request, super().reply)


class ExchangeHarness(Tapped):
    """A tenant with a group, and with other people's connectors and rules."""

    name = "exchange"
    cannot: Mapping[Can, str] = {
        Can.LISTS: _NO_RANGES,
        Can.STAGES: _NO_RANGES,
        Can.ASK: "with write: rest exosync does it, and only the domain's type is a person's",
        Can.SWAP: "the interface has no compare-and-swap: the race that remains is documented",
    }
    where = ("127.0.0.1", "login.microsoftonline.us")
    approves = frozenset({"rule_switch_on"})

    def __init__(self, tenant: _Tenant, folder: Path) -> None:
        super().__init__()
        self.tenant = tenant
        self._words = ["first"]
        self._others: list[str] = []
        tenant.harness = self
        tenant.org.add_group(f"here@{_DOMAIN}", [f"ada@{_DOMAIN}"])
        tenant.org.domains[-1]["DomainType"] = "InternalRelay"
        (folder / "secret").write_text(CLIENT_SECRET)
        self.target: Json = {
            "kind": "exchange",
            "url": tenant.url,
            "tenant": tenant.tenant,
            "client_id": tenant.client_id,
            "credentials": {"kind": "secret", "secret": {"file": str(folder / "secret")}},
            "write": "rest",
            "domain": _DOMAIN,
            "far_side": "other",
            "smart_hosts": ["127.0.0.2"],
            "routed": {"everyone_but": f"here@{_DOMAIN}"},
            "exceptions": {"loop_breaker": {"words": list(self._words)}},
            "timeout": "30s",
            "settle": "2s",
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client's secret, and every token."""
        return (CLIENT_SECRET, *self.tenant.access.tokens)

    def state(self) -> object:
        """All objects without when they changed and their ids, which mean nothing."""
        return {
            name: [_plain(one, "Guid") for one in found] if isinstance(found, list) else found
            for name, found in self.tenant.org.held().items()
        }

    def listed(self) -> IpRanges:
        """None ever."""
        return IpRanges()

    def held(self) -> object:
        """What carries our mark, in what matters of it."""
        org = self.tenant.org
        connectors = [_some(one, _OF_CONNECTOR) for one in org.connectors if _ours(one, "Comment")]
        return connectors, [_some(one, _OF_RULE) for one in org.rules if _ours(one, "Comments")]

    def goal(self) -> object:
        """As the configuration says."""
        hosts = self.target["smart_hosts"]
        connector = dict(zip(_OF_CONNECTOR, (_NAME, True, True, False, hosts), strict=True))
        rule = (_NAME, "Enabled", "Enforce", [_DOMAIN], self._words)
        return [connector], [dict(zip(_OF_RULE, rule, strict=True))]

    def change(self) -> None:
        """Another host and another word: a write of the connector and one of the rule."""
        self._words = ["second"]
        self.target["smart_hosts"] = ["127.0.0.3", "127.0.0.4"]
        self.target["exceptions"] = {"loop_breaker": {"words": list(self._words)}}

    def foreign(self) -> object:
        """What others made, with its ids."""
        org = self.tenant.org
        found = [*org.connectors, *org.rules]
        return [_plain(one) for one in found if one["Guid"] in self._others]

    def add_foreign(self) -> None:
        """A partner's connector, a rule that uses it, and a disclaimer."""
        org = self.tenant.org
        made = [
            org.add_connector("Partner", RecipientDomains=["partner.example"], Comment="by Grace"),
            org.add_connector("For a rule", IsTransportRuleScoped=True, Comment=f"see {_MARK}"),
            org.add_rule(
                "Encrypt",
                SubjectContainsWords=["secret"],
                RouteMessageOutboundConnector="For a rule",
            ),
            org.add_rule(
                "Disclaimer",
                at=0,
                SentToScope="NotInOrganization",
                ApplyHtmlDisclaimerText="<p>Confidential.</p>",
            ),
        ]
        self._others += [one["Guid"] for one in made]

    def put_by_hand(self, ranges: IpRanges) -> None:
        """Connector and rule as the admin center makes them, without a mark."""
        org = self.tenant.org
        org.add_connector(
            _NAME, IsTransportRuleScoped=True, UseMXRecord=False, SmartHosts=["127.0.0.9"]
        )
        org.add_rule(
            _NAME,
            RecipientDomainIs=[_DOMAIN],
            RouteMessageOutboundConnector=_NAME,
            State="Disabled",
        )

    def damage(self) -> None:
        """The connector is given another host."""
        (ours,) = (one for one in self.tenant.org.connectors if _ours(one, "Comment"))
        ours["SmartHosts"] = ["127.0.0.8"]

    def do(self, task: Json) -> None:
        """Nothing here is for a person."""
        raise AssertionError(task)

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """The application was given another secret."""
        self.tenant.access.client_secret = "another"
        try:
            yield
        finally:
            self.tenant.access.client_secret = CLIENT_SECRET

    def snapshot(self) -> Callable[[], None]:
        """A copy of everything that the tenant holds."""
        return self.tenant.snapshot()

    def _is_write(self, request: Request) -> bool:
        return is_write(request)


def _ours(record: Json, note: str) -> bool:
    return (record[note] or "").splitlines()[-1:] == [_MARK]


def _some(record: Json, names: tuple[str, ...]) -> Json:
    return {name: record[name] for name in names}


def _plain(record: Json, *but: str) -> Json:
    return {
        name: value
        for name, value in record.items()
        if not name.startswith("When") and name not in but
    }


@contextmanager
def exchange_harness(
    folder: Path, *, sidecars: bool = True, cloud: CloudName = "gcc_high", **how: Any
) -> Iterator[ExchangeHarness]:
    """A harness around a tenant of its own, in which no write ever endangered mail.

    It is in the cloud whose ranges the suite is about, which then no configuration names.
    `sidecars`: answers tell the types of properties beside them.
    """
    switches = Switches(cloud=cloud, sidecars=sidecars)
    with _Tenant(_DOMAIN, client_secret=CLIENT_SECRET, switches=switches, **how) as tenant:
        harness = ExchangeHarness(tenant, folder)
        if cloud != "gcc_high":
            harness.target["cloud"] = cloud
        yield harness
        assert [] == tenant.dangerous
