"""What the stand-in of Exchange Online answers with: JSON, and errors in the known shapes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tests.standins.exchange_switches import Switches
from tests.standins.web import Reply

Json = Any

SERVICE: Final = "Microsoft.Exchange.Admin.OData.Core.ODataServiceException"
NOT_FOUND: Final = "Microsoft.Exchange.Configuration.Tasks.ManagementObjectNotFoundException"
EXISTS: Final = "Microsoft.Exchange.Data.Directory.ADObjectAlreadyExistsException"
DEHYDRATED: Final = (
    "Microsoft.Exchange.Configuration.Tasks.InvalidOperationInDehydratedContextException"
)
BINDING: Final = "System.Management.Automation.ParameterBindingException"
ARGUMENT: Final = "System.ArgumentException"

_JSON = {
    "Content-Type": "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false"
}
_NULS = b"\0" * 4096


class Refused(Exception):
    """A command that is not carried out: .NET type and text as `details` gives them."""

    def __init__(self, type_: str, text: str, *, status: int = 400, code: str = "") -> None:
        self.type, self.text, self.status = type_, text, status
        self.code = code
        super().__init__(text)


def not_found(identity: object) -> Refused:
    """The object that is not there (an error that public code quotes)."""
    return Refused(
        NOT_FOUND,
        f"The operation couldn't be performed because object '{identity}' couldn't be found on "
        "'DB5PR05A01DC001.EURPR05A001.PROD.OUTLOOK.COM'.",
        status=404,
        code="Ex6F9304",
    )


def json_reply(value: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A body of JSON."""
    return Reply(status, {**_JSON, **(headers or {})}, json.dumps(value).encode())


def success(
    base: str, value: Sequence[Json], warnings: Sequence[str] = (), next_link: str = ""
) -> Reply:
    """What a command gives: the array of warnings is always there (G2O)."""
    body: dict[str, Json] = {
        "@odata.context": f"{base}/$metadata#Collection(Exchange.GenericHashTable)",
        "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": list(warnings),
        "value": list(value),
    }
    if next_link:
        body["@odata.nextLink"] = next_link
    told = {"X-Warnings": json.dumps(list(warnings))} if warnings else {}
    return json_reply(body, headers=told)


def command_error(refused: Refused) -> Reply:
    """An error of a command: what happened stands in `details` and `innererror` alone (CIPP, G2O)."""
    code = "NotFound" if refused.status == 404 else "BadRequest"
    inner = {
        "message": refused.text,
        "type": refused.type,
        "stacktrace": "   at Microsoft.Exchange.Configuration.Tasks.Task.Process()",
    }
    detail = f"{refused.code}|{refused.type}|{refused.text}"
    body = {
        "error": {
            "code": code,
            "message": "Error executing cmdlet" if refused.code else "Invalid Operation",
            "details": [{"code": "Client", "target": "", "message": detail}],
            "innererror": {
                "message": "Error executing cmdlet",
                "type": SERVICE,
                "stacktrace": "",
                "internalexception": inner,
            },
        },
        "adminapi.warnings@odata.type": "#Collection(String)",
        "@adminapi.warnings": [],
    }
    return json_reply(body, refused.status)


def unauthorized() -> Reply:
    """No token, a wrong one, or one without the application's role (G2O)."""
    return Reply(401, {"WWW-Authenticate": 'Bearer authorization_uri="https://login.windows.net"'})


def not_allowed(cmdlet: str, switches: Switches) -> Reply:
    """A command that is unknown or not in the caller's role: from outside they are one (G2O)."""
    if switches.denied_401:
        text = f"User is not allowed to call {cmdlet}"
        inner = {"message": text, "type": SERVICE, "stacktrace": ""}
        error = {"code": "Unauthorized", "message": text, "innererror": inner}
        return json_reply({"error": error}, 401)
    if switches.nul_403 == "empty":
        return Reply(403)
    packed = {"Content-Encoding": "gzip"} if switches.nul_403 == "gzip" else {}
    return Reply(403, {"Content-Type": "application/json", **packed}, _NULS)


def entra_error(status: int, error: str, code: int, text: str, now: str) -> Reply:
    """An error of the token endpoint (as Azure/azure-workload-identity 616 quotes one)."""
    trace, correlation = (f"{code:08}-0000-4000-8000-00000000000{one}" for one in "12")
    body = {
        "error": error,
        "error_description": f"AADSTS{code}: {text} Trace ID: {trace} "
        f"Correlation ID: {correlation} Timestamp: {now}",
        "error_codes": [code],
        "timestamp": now,
        "trace_id": trace,
        "correlation_id": correlation,
        "error_uri": f"https://login.microsoftonline.com/error?code={code}",
    }
    return Reply(
        status, {"Content-Type": "application/json; charset=utf-8"}, json.dumps(body).encode()
    )


def graph_error(status: int, code: str, message: str) -> Reply:
    """An error of Graph's."""
    inner = {"date": "2026-11-01T12:00:00", "request-id": "1", "client-request-id": "1"}
    return json_reply({"error": {"code": code, "message": message, "innerError": inner}}, status)
