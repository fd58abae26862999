"""The harness of the kind `mimecast`, setting `anti_spoofing`."""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from exosync.core.ranges import IpRanges
from tests.contract.harness import Can, Json
from tests.contract.http import Tapped
from tests.standins.mimecast import MimecastStandIn, Policy
from tests.standins.web import Reply, Request

CLIENT_ID, CLIENT_SECRET = "contract-client-id-0f1e", "contract-secret-5ad2c9b7e1"
_FAMILY = "anti-spoofing"
_OWN_DOMAIN = {"type": "email_domain", "domain": "example.com"}
_OTHERS: tuple[tuple[str, Json], ...] = (
    (_FAMILY, {"description": "Branch: exosync does not own this", "option": "no_action"}),
    (_FAMILY, {"description": "", "option": "apply", "sourceIPs": []}),
    ("blocked-senders", {"description": "bad people", "option": "block_sender"}),
    ("anti-spoofing-bypass", {"description": "by SPF", "spfDomains": ["partner.example"]}),
)


class _Account(MimecastStandIn):
    """Lets its harness hear every request first."""

    harness: MimecastHarness

    def reply(self, request: Request) -> Reply:
        return self.harness.tap(request, super().reply)


class MimecastHarness(Tapped):
    """An account with policies of other people."""

    name = "mimecast"
    cannot: Mapping[Can, str] = {
        Can.ASK: "the API writes anti-spoofing policies, so nobody is asked",
        Can.SWAP: "the vendor has no compare-and-swap: the race that remains is documented",
    }
    where = ("127.0.0.1",)
    families = (4,)

    def __init__(self, account: _Account, folder: Path) -> None:
        super().__init__()
        self._account = account
        self._others: list[tuple[str, str]] = []
        account.harness = self
        (folder / "id").write_text(CLIENT_ID)
        (folder / "secret").write_text(CLIENT_SECRET)
        self.target: Json = {
            "kind": "mimecast",
            "url": account.url,
            "client_id": {"file": str(folder / "id")},
            "client_secret": {"file": str(folder / "secret")},
            "domains": ["example.com"],
            "settings": ["anti_spoofing"],
            "deadline": "0s",
            "settle": "2s",
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client's secret, how HTTP could carry it, and every token; the id besides."""
        pair = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        return (CLIENT_SECRET, pair, CLIENT_ID, *self._account.access._tokens)

    def state(self) -> object:
        """Every policy but for its id, which has no meaning, and the other lists."""
        policies = {
            family: sorted(json.dumps(_plain(one), sort_keys=True) for one in found)
            for family, found in self._account.policies.items()
        }
        return policies, list(self._account.managed_senders), list(self._account.outbound)

    def listed(self) -> IpRanges:
        """The sources of the marked policies that are in force."""
        found = [one for one in self._ours() if one.enabled and one.option == "no_action"]
        return IpRanges().union(*(IpRanges.parse(one.source_ips) for one in found))

    def foreign(self) -> object:
        """The policies that others made, with their ids."""
        held = {
            (family, one.id): one for family, all_ in self._account.policies.items() for one in all_
        }
        return {place: _plain(held[place]) for place in self._others}

    def add_foreign(self) -> None:
        """An exemption for a branch, one for nobody, and policies of other families."""
        for family, fields in _OTHERS:
            sender = {"type": "email_domain", "domain": "branch.example"}
            with_ranges = {"sourceIPs": ["198.51.100.0/24"]} if family == _FAMILY else {}
            fields_ = {"to": {"type": "internal_addresses"}, **with_ranges, **fields}
            made = self._account.add_policy(family, from_=sender, **fields_)
            self._others.append((family, made))

    def put_by_hand(self, ranges: IpRanges) -> None:
        """A policy as the console makes it, without a mark."""
        self._account.add_policy(
            _FAMILY,
            description="Exchange Online may send as us",
            option="no_action",
            from_=_OWN_DOMAIN,
            to={"type": "internal_addresses"},
            fromPart="both",
            override=True,
            sourceIPs=list(ranges.cidrs()),
        )

    def damage(self) -> None:
        """One range less in a policy of ours."""
        ours = self._ours()[0]
        self._account.edit_policy(_FAMILY, ours.id, sourceIPs=ours.source_ips[1:])

    def do(self, task: Json) -> None:
        """Nothing here is for a person."""
        raise AssertionError(task)

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """The application was given another secret."""
        self._account.access.client_secret = "another"
        self._account.expire_tokens()
        try:
            yield
        finally:
            self._account.access.client_secret = CLIENT_SECRET

    def snapshot(self) -> Callable[[], None]:
        """A copy of all policies."""
        held: Any = self._account._policies
        names = ("_entries", "_by_id", "_count")
        kept = copy.deepcopy([getattr(held, name) for name in names])

        def put_back() -> None:
            # Both hold the same entries, so they are copied as one.
            for name, value in zip(names, copy.deepcopy(kept), strict=True):
                setattr(held, name, value)

        return put_back

    def _ours(self) -> list[Policy]:
        found = self._account.policies[_FAMILY]
        return [one for one in found if one.description.startswith("exosync ")]

    def _is_write(self, request: Request) -> bool:
        return request.method != "GET" and request.path != "/oauth/token"


def _plain(policy: Policy) -> Json:
    return {name: value for name, value in policy.fields.items() if name != "description"} | {
        "description": policy.description
    }


@contextmanager
def mimecast_harness(folder: Path, **how: Any) -> Iterator[MimecastHarness]:
    """A harness around an account of its own; the account must have been treated well."""
    with _Account(client_id=CLIENT_ID, client_secret=CLIENT_SECRET, **how) as account:
        yield MimecastHarness(account, folder)
        assert [] == account.violations
        assert [] == account.dangerous
