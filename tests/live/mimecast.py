"""The harness of a real Mimecast account: its anti-spoofing policies, asked for by itself."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, urlencode

from exosync.core.ranges import IpRanges
from exosync_adapters.mimecast.paging import page
from tests.contract.harness import Can, Json
from tests.contract.http import Tapped
from tests.live.switches import MimecastAccount
from tests.live.way import Way
from tests.standins.web import Reply, Request

OWNER = "exosync-live"
_PATH = "/policy-management/cloud-gateway/v1/anti-spoofing/policies"
_MADE_BY_US = "(exosync contract test)"
"""How the descriptions of what plays other people's policies end: they too are cleaned up."""

_OF_THE_MOMENT = ("id", "policyId", "createTime", "lastUpdated", "created", "lastModified")


class LiveMimecast(Tapped):
    """The policies of one domain, in an account that may hold anything else."""

    name = "mimecast, real account"
    where = ("127.0.0.1",)
    families = (4,)
    cannot: Mapping[Can, str] = {
        Can.ASK: "the API writes anti-spoofing policies, so nobody is asked",
        Can.SWAP: "the vendor has no compare-and-swap: the race that remains is documented",
        Can.RESTORE: "the ids of a real account cannot be put back",
    }

    def __init__(self, account: MimecastAccount, way: Way) -> None:
        super().__init__()
        self._account, self._way = account, way
        self._token = ""
        self._right_secret = account.client_secret_file.read_text()
        way.answer = lambda request: self.tap(request, way.forward)
        self.target: Json = {
            "kind": "mimecast",
            "url": way.url,
            "client_id": {"file": str(account.client_id_file)},
            "client_secret": {"file": str(account.client_secret_file)},
            "domains": [account.domain],
            "settings": ["anti_spoofing"],
            "deadline": "0s",
        }

    @property
    def secrets(self) -> tuple[str, ...]:
        """The client's secret, and our own token."""
        return tuple(filter(None, (self._right_secret.strip(), self._token)))

    def state(self) -> object:
        """Every anti-spoofing policy of the account."""
        return sorted(_plain(one) for one in self._policies())

    def listed(self) -> IpRanges:
        """The sources of the marked policies that are in force."""
        found = [one for one in self._ours() if one.get("enabled")]
        return IpRanges().union(*(IpRanges.parse(one.get("sourceIPs") or ()) for one in found))

    def foreign(self) -> object:
        """Every policy without our mark."""
        ours = self._ours()
        return sorted(_plain(one) for one in self._policies() if one not in ours)

    def add_foreign(self) -> None:
        """An exemption of documentation space (RFC 5737), for one address of the domain."""
        address = f"exosync-contract-test@{self._account.domain}"
        sender = {"type": "individual_email_address", "emailAddress": address}
        self._make("Branch", sender, ["198.51.100.0/24"])

    def put_by_hand(self, ranges: IpRanges) -> None:
        """A policy as the console makes it, without a mark."""
        sender = {"type": "email_domain", "domain": self._account.domain}
        self._make("Exchange Online may send as us", sender, list(ranges.cidrs()))

    def damage(self) -> None:
        """One range less in a policy of ours."""
        ours = self._ours()[0]
        self._call("PATCH", _id(ours), {"sourceIPs": ours["sourceIPs"][1:]})

    def do(self, task: Json) -> None:
        """Nothing here is for a person."""
        raise AssertionError(task)

    @contextmanager
    def locked_out(self) -> Iterator[None]:
        """The token request goes out with another secret."""
        right = self._way.answer

        def wrong(request: Request) -> Reply:
            secret = urlencode({"client_secret": self._right_secret.strip()}).encode()
            body = request.body.replace(secret, b"client_secret=wrong")
            return right(
                Request(request.method, request.path, request.query, request.headers, body)
            )

        self._way.answer = wrong
        try:
            yield
        finally:
            self._way.answer = right

    def snapshot(self) -> Callable[[], None]:
        """See `cannot`."""
        raise AssertionError

    def clean_up(self) -> None:
        """Delete what carries the tests' own mark, and what they made to stand for others."""
        for one in self._policies():
            description = str(one.get("description") or "")
            if description.startswith(f"exosync {OWNER}/") or description.endswith(_MADE_BY_US):
                self._call("DELETE", _id(one))

    def _is_write(self, request: Request) -> bool:
        return request.method != "GET" and request.path != "/oauth/token"

    def _ours(self) -> list[Json]:
        mark = f"exosync {OWNER}/"
        found = self._policies()
        return [one for one in found if str(one.get("description") or "").startswith(mark)]

    def _make(self, name: str, sender: Json, ranges: list[str]) -> None:
        body = {
            "description": f"{name} {_MADE_BY_US}",
            "option": "no_action",
            "fromPart": "both",
            "from": sender,
            "to": {"type": "internal_addresses"},
            "enabled": True,
            "override": True,
            "bidirectional": False,
            "fromEternal": True,
            "toEternal": True,
            "sourceIPs": ranges,
        }
        self._call("POST", "", body)

    def _policies(self) -> list[Json]:
        found: list[Json] = []
        query = {"pageSize": "100"}
        while True:
            items, token = page(self._call("GET", "", query=query), "the list of policies")
            found += [dict(one) for one in items]
            if token is None:
                return found
            query = {"pageSize": "100", "pageToken": token}

    def _call(
        self, method: str, policy: str, body: Json | None = None, *, query: Json | None = None
    ) -> Any:
        """One request of our own, past the count."""
        path = f"{_PATH}/{quote(policy, safe='')}" if policy else _PATH
        data = b"" if body is None else json.dumps(body).encode()
        reply = self._asked(method, path, query or {}, data)
        if reply.status == 401:
            self._token = self._new_token()
            reply = self._asked(method, path, query or {}, data)
        assert reply.status < 300, (method, path, reply.status, reply.body[:500])
        return json.loads(reply.body) if reply.body else None

    def _asked(self, method: str, path: str, query: Json, data: bytes) -> Reply:
        headers = {
            "Authorization": f"Bearer {self._token}",
            "Accept": "application/json",
            "Content-Type": "application/json",
        }
        return self._way.forward(Request(method, path, query, headers, data))

    def _new_token(self) -> str:
        form = {
            "client_id": self._account.client_id_file.read_text().strip(),
            "client_secret": self._right_secret.strip(),
            "grant_type": "client_credentials",
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        request = Request("POST", "/oauth/token", {}, headers, urlencode(form).encode())
        return str(json.loads(self._way.forward(request).body)["access_token"])


def _id(policy: Json) -> str:
    return str(policy.get("id") or policy.get("policyId"))


def _plain(policy: Json) -> str:
    lasting = {name: value for name, value in policy.items() if name not in _OF_THE_MOMENT}
    return json.dumps(lasting, sort_keys=True)


@contextmanager
def live_mimecast(account: MimecastAccount) -> Iterator[LiveMimecast]:
    """A harness around the account, cleaned up before and after."""
    with Way(lambda _: account.url) as way:
        harness = LiveMimecast(account, way)
        harness.clean_up()
        try:
            yield harness
        finally:
            harness.clean_up()
