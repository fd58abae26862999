"""The JSON API: what its document says is so, and its shapes are those of the commands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, cast

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from exosync.cli import run
from exosync.web.app import create_app
from exosync.web.port import Service
from tests.web.scene import METRICS

Json = Any

schemathesis.openapi.format(
    "address-or-host",
    st.sampled_from(["40.92.0.1", "40.92.0.0/15", "[2a01:111:f400::1]", "smtp.office.com"])
    | st.ip_addresses().map(str),
)


api = schemathesis.openapi.from_dict(create_app(cast("Service", None), environ={}).openapi())


@api.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_the_api_does_what_its_document_says(page_url: str, case: schemathesis.Case[Any]) -> None:
    """For requests that the document allows, and for those that it does not."""
    case.call_and_validate(base_url=page_url, timeout=60)


def get(url: str, path: str, status: int = 200) -> Json:
    """What the API answers."""
    answer = requests.get(f"{url}/api/v1/{path}", timeout=30)
    assert status == answer.status_code
    return answer.json()


@pytest.fixture
def said(filled: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a command prints with `--json` over the same state."""
    monkeypatch.chdir(filled)

    def command(*words: str) -> Json:
        capsys.readouterr()
        run([*words, "--json"])
        return json.loads(capsys.readouterr().out)

    return command


@pytest.mark.parametrize(
    ("path", "command"),
    [
        ("todo", "todo"),
        ("history?limit=7", "history -n 7"),
        ("runs/3", "show r-3"),
        ("events/9", "show e-9"),
        ("versions", "feed versions"),
        ("versions/2019010700", "show 2019010700"),
        ("settings", "config show"),
        ("alerts?limit=1000", "alerts list --all"),
    ],
)
def test_the_api_tells_what_a_command_prints(
    page_url: str, said: Any, path: str, command: str
) -> None:
    """Key by key, but for the clock: the commands have the real one."""
    assert without_clock(said(*command.split())) == without_clock(get(page_url, path))


def test_a_plan_is_what_show_prints(page_url: str, said: Any) -> None:
    """By its id, or by the beginning of it."""
    plan = get(page_url, "status")["plans"][0]["id"]
    assert said("show", plan) == get(page_url, f"plans/{plan}")
    assert said("show", plan) == get(page_url, f"plans/{plan[:8]}")


def without_clock(value: Json) -> Json:
    """Without what depends on the moment of asking."""
    if isinstance(value, list):
        return [without_clock(one) for one in value]
    if isinstance(value, dict):
        return {k: without_clock(v) for k, v in value.items() if k not in ("now", "overdue")}
    return value


def test_status_has_the_keys_of_the_command(page_url: str, said: Any) -> None:
    """The same ones, in the same order."""
    ours, theirs = get(page_url, "status"), said("status")
    assert list(theirs) == list(ours)
    assert list(theirs["targets"][0]) == list(ours["targets"][0])
    assert without_clock(theirs["targets"]) == without_clock(ours["targets"])


def test_explain_asks_nobody_and_tells_what_the_last_runs_saw(page_url: str) -> None:
    """A target that knows, one that does not, and one that cannot tell."""
    told = get(page_url, "explain?q=40.107.1.2")
    assert told["addresses"][0]["mail"]
    knows = {one["name"]: one["knows"] for one in told["addresses"][0]["targets"]}
    assert {"edge": True, "lab": False, "gateway": None} == {
        name: knows[name] for name in ("edge", "lab", "gateway")
    }


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ("40.92.0.1", "40.92.0.1"),
        ("40.92.0.0/15", "40.92.0.0/15"),
        ("2a01:111::/32", "2a01:111::/32"),
        ("[IPv6:2a01:111:f400::1]", "2a01:111:f400::1"),
    ],
)
def test_a_range_is_told_with_its_prefix_and_an_address_without(
    page_url: str, asked: str, told: str
) -> None:
    """A /32 of IPv6 is no single address."""
    answer = requests.get(f"{page_url}/api/v1/explain", params={"q": asked}, timeout=30)
    assert told == answer.json()["addresses"][0]["address"]


def test_explain_resolves_no_host(page_url: str) -> None:
    """It tells of the name alone."""
    told = get(page_url, "explain?q=smtp.office.com")
    assert [] == told["addresses"]
    assert told["host"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("nothing", 404),
        ("targets/nobody", 404),
        ("runs/999999", 404),
        ("runs/x", 422),
        ("plans/ffffffff", 404),
        ("plans/zz", 422),
        ("versions/2000010100", 404),
        ("history?limit=0", 422),
        ("ranges?families=ipv5", 422),
        ("explain?q=not+an+address", 422),
        ("explain", 422),
    ],
)
def test_an_error_is_told_as_a_problem(page_url: str, path: str, status: int) -> None:
    """RFC 9457, with the status once more in the body."""
    answer = requests.get(f"{page_url}/api/v1/{path}", timeout=30)
    assert "application/problem+json" == answer.headers["Content-Type"]
    assert (status, status) == (answer.status_code, answer.json()["status"])
    assert {"type", "title", "status", "detail"} == answer.json().keys()


def test_before_the_first_version_there_are_no_ranges(make: Any) -> None:
    """A state with nothing in it is answered too."""
    _, url = make(state="sqlite:///empty.db")
    assert get(url, "status")["version"] is None
    assert "no version is adopted yet" in get(url, "ranges", 404)["detail"]
    for path in ("", "ranges", "versions", "todo", "history", "runs", "alerts", "targets/edge"):
        assert 200 == requests.get(f"{url}/{path}", timeout=30).status_code


def test_a_state_that_cannot_be_read_is_the_services_trouble(make: Any) -> None:
    """503, on the page as in the API, and the health is told all the same."""
    stage, url = make()
    (stage.folder / "exosync.db").write_bytes(b"this is no database" * 100)
    assert 503 == get(url, "status", 503)["status"]
    assert 503 == requests.get(url, timeout=30).status_code
    assert 200 == requests.get(f"{url}/livez", timeout=30).status_code


def test_the_figures_are_prometheus_text(page_url: str) -> None:
    """As the service renders them."""
    answer = requests.get(f"{page_url}/metrics", timeout=30)
    assert "text/plain; version=0.0.4; charset=utf-8" == answer.headers["Content-Type"]
    assert METRICS == answer.content
