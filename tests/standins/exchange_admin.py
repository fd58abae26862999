"""The ways into the admin interface: what a request must be before a command is run."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from tests.standins import exchange_replies as replies
from tests.standins.exchange_access import Access, Token
from tests.standins.exchange_commands import Commands
from tests.standins.exchange_requests import AdminPath, Command, admin_path, command_of, header
from tests.standins.exchange_roles import CMDLETS, commands
from tests.standins.exchange_switches import MANAGE, MANAGE_V2, Switches
from tests.standins.web import Reply, Request

PUBLISHED: Final = {
    "accepteddomain": "Get-AcceptedDomain",
    "organizationconfig": "Get-OrganizationConfig",
    "distributiongroupmember": "Get-DistributionGroupMember",
}
"""The endpoints of v2.0 that we have a use for, and the command of each (docs)."""

_WINDOW = timedelta(seconds=5)
_LIMIT = 30_000  # seen in Rate-Limit-Limit (public code, 2024)


class Faults:
    """What is wrong with the service for the next requests; the numbers count down."""

    def __init__(self, switches: Switches) -> None:
        self._run: deque[datetime] = deque()
        self.redirects = switches.redirects
        self.throttle, self.fail = switches.throttle, switches.fail
        self.drop_before, self.drop_after = switches.drop_before, switches.drop_after

    def takes(self, name: str) -> bool:
        """Whether a fault is due; it is then one less."""
        left: int = getattr(self, name)
        setattr(self, name, max(0, left - 1))
        return left > 0

    def reply(self, request: Request, switches: Switches, now: datetime) -> Reply | None:
        """What is answered instead."""
        if switches.budget and command_of(request) and self._is_spent(switches.budget, now):
            return _throttled(switches)
        if self.takes("redirects"):
            return Reply(302, {"Location": f"{switches.redirect_to}{request.path}"})
        if self.takes("throttle"):
            return _throttled(switches)
        if self.takes("fail"):
            return Reply(503, {"Content-Type": "text/html"}, b"<h2>Our services aren't available")
        return None

    def _is_spent(self, budget: int, now: datetime) -> bool:
        """Whether enough commands were run of late; else there is one more."""
        while self._run and now - self._run[0] >= _WINDOW:
            self._run.popleft()
        if len(self._run) >= budget:
            return True
        self._run.append(now)
        return False


class Gate:
    """Answers what is asked of /adminapi; `run` carries out a command."""

    def __init__(self, access: Access, commands_: Commands) -> None:
        self._access, self._commands = access, commands_

    def answer(
        self, request: Request, switches: Switches, run: Callable[[Command, str], Reply]
    ) -> Reply:
        """The answer to a request."""
        path = admin_path(request)
        if path is None:
            return Reply(404)
        token = self._access.bearer(request, "exchange")
        needed = MANAGE_V2 if path.version == "v2.0" else MANAGE
        if token is None or needed not in token.roles or path.tenant != self._access.tenant:
            return replies.unauthorized()  # another tenant than the token's: unknown
        try:
            return _measured(self._of_version(request, path, token, switches, run))
        except replies.Refused as refused:
            return replies.command_error(refused)

    def _of_version(
        self,
        request: Request,
        path: AdminPath,
        token: Token,
        switches: Switches,
        run: Callable[[Command, str], Reply],
    ) -> Reply:
        host = header(request, "Host")
        base = f"http://{host}/adminapi/{path.version}/{path.tenant}"
        endpoint = path.endpoint.lower()
        match path.version, endpoint:
            case "v1.0", "exomodulefile" if request.method == "GET":
                return self._module_file(base, switches)
            case "beta", "invokecommand":
                if switches.mixed_roles_refused and MANAGE_V2 in token.roles:
                    return replies.unauthorized()
            case "v2.0", known if known in PUBLISHED:
                pass
            case _:
                return Reply(405)  # v1.0 has no InvokeCommand; of others unknown
        return self._command(request, endpoint, base, switches, run)

    def _command(
        self,
        request: Request,
        endpoint: str,
        base: str,
        switches: Switches,
        run: Callable[[Command, str], Reply],
    ) -> Reply:
        if request.method != "POST":
            return Reply(405)
        command = command_of(request)
        if command is None:
            text = "Missing or invalid CmdletInput: CmdletName and Parameters are needed."  # ours
            raise replies.Refused(replies.ARGUMENT, text)
        if endpoint != "invokecommand" and command.cmdlet != PUBLISHED[endpoint]:
            text = f"{command.cmdlet} is not a command of this endpoint."  # ours
            raise replies.Refused(replies.ARGUMENT, text)
        if command.cmdlet not in self._may_run(switches):
            return replies.not_allowed(command.cmdlet, switches)
        # Those who follow it send the very same body again (CIPP; GreyCorbel's ExoHelper).
        if "$skiptoken" in request.query:
            return self._commands.next_page(request.query["$skiptoken"], base, switches)
        return run(command, base)

    def _module_file(self, base: str, switches: Switches) -> Reply:
        """What the caller may run (CIPP)."""
        names = ",".join(sorted(self._may_run(switches)))
        value = [{"exportedCmdlets": names, "version": "3.9.0"}]
        return replies.success(base, value)

    def _may_run(self, switches: Switches) -> frozenset[str]:
        return (commands(self._access.roles) & CMDLETS) - switches.denied_cmdlets


def _throttled(switches: Switches) -> Reply:
    """429. Its body is unknown."""
    until = datetime.now(UTC) + timedelta(seconds=switches.throttle_seconds)
    headers: dict[str, str] = {}
    match switches.throttle_tells:
        case "reset":
            headers = {
                "Rate-Limit-Limit": str(_LIMIT),
                "Rate-Limit-Remaining": "0",
                "Rate-Limit-Reset": until.isoformat().replace("+00:00", "Z"),
            }
        case "retry_after":
            headers = {"Retry-After": f"{switches.throttle_seconds:.0f}"}
    return Reply(429, headers)


def _measured(reply: Reply) -> Reply:
    """An answer with the headers that were seen."""
    reset = time.strftime("%Y-%m-%dT%H:%M:%S.0000000Z", time.gmtime(time.time() + 16))
    seen = {
        "Rate-Limit-Limit": str(_LIMIT),
        "Rate-Limit-Remaining": str(_LIMIT - 3),
        "Rate-Limit-Reset": reset,
        "Request-Id": "00000000-0000-4000-8000-000000000001",
        "X-CalculatedBETarget": "DB5PR05MB0001.EURPRD05.PROD.OUTLOOK.COM",
    }
    headers = {**seen, **reply.headers} if reply.status == 200 else reply.headers
    return Reply(reply.status, headers, reply.body, reply.manner)
