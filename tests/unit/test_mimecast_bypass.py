"""Planning the bypass by SPF: one policy for each domain, pure."""

from __future__ import annotations

from typing import Any

import pytest

from exosync.core.target import Action, Draft, Phase
from exosync_adapters.mimecast import MimecastSettings
from exosync_adapters.mimecast.bypass import BypassAim, observe, plan
from exosync_adapters.mimecast.marks import Mark
from exosync_adapters.mimecast.policy import Policy, created
from exosync_adapters.mimecast.reading import read_policy

DOMAIN = "example.com"


def aim(**keys: Any) -> BypassAim:
    """One domain, but for the given keys."""
    chosen: dict[str, Any] = {
        "client_id": {"env": "ID"},
        "client_secret": {"env": "SECRET"},
        "domains": [DOMAIN],
        "settings": ["spf_bypass"],
    }
    return BypassAim(MimecastSettings.model_validate(chosen | keys), "exosync", "mimecast")


def item(description: str, domain: str = DOMAIN, **fields: Any) -> Policy:
    """A policy as exosync makes it, but for the given fields."""
    made = {
        "id": f"id-of-{description[:40]}",
        "description": description,
        "option": "enable_bypass",
        "fromPart": "both",
        "from": {"type": "email_domain", "domain": domain},
        "to": {"type": "internal_addresses"},
        "enabled": True,
        "override": True,
        "fromEternal": True,
        "toEternal": True,
        "spfDomains": [domain],
    }
    return read_policy({**made, **fields})


def own(domain: str = DOMAIN, **fields: Any) -> Policy:
    """A policy of ours."""
    return item(f"{Mark('exosync', 'mimecast', domain, 1)} words", domain, **fields)


def drafted(*policies: Policy, adopting: bool = False, **keys: Any) -> Draft:
    """The draft over these policies."""
    of = aim(**keys)
    return plan(of, observe(of, policies, {}), adopting=adopting)


def test_a_domain_gets_one_policy() -> None:
    """Its own SPF record decides."""
    (step,) = drafted().steps

    assert ("spf-bypass:example.com:1", Action.CREATE) == (step.resource, step.action)
    body = created(step.detail.after)
    assert ("enable_bypass", ["example.com"]) == (body["option"], body["spfDomains"])
    assert "sourceIPs" not in body
    assert "let the SPF record of example.com decide" in step.summary


def test_other_records_may_decide() -> None:
    """If the configuration names them."""
    (step,) = drafted(spf_domains=["b.example", "a.example"]).steps

    assert ("a.example", "b.example") == step.detail.after.spf_domains


def test_nothing_is_to_be_done_twice() -> None:
    """What is as desired has no steps."""
    assert () == drafted(own()).steps


@pytest.mark.parametrize(
    "fields",
    [{"option": "disable_bypass"}, {"enabled": False}, {"spfDomains": []}, {"override": False}],
)
def test_what_somebody_edited_is_repaired(fields: dict[str, Any]) -> None:
    """And told."""
    draft = drafted(own(**fields))

    assert [Action.UPDATE] == [one.action for one in draft.steps]
    assert ["policy_edited"] == [one.rule for one in draft.findings]


def test_a_domain_that_left_loses_its_policy_once_that_is_approved() -> None:
    """And not before what is to be added."""
    draft = drafted(own(), own("example.org"))

    (step,) = draft.steps
    assert (Phase.REMOVE, False) == (step.phase, step.detail.after.enabled)
    assert [("policy_would_be_empty", True)] == [(r.rule, r.approvable) for r in draft.refusals]
    both = drafted(own("example.org"))
    (refusal,) = both.refusals
    assert [Phase.ADD, Phase.REMOVE] == [one.phase for one in both.steps]
    assert [False, True] == [refusal.covers(one) for one in both.steps]
    assert [Action.DELETE] == [
        one.action for one in drafted(own(), own("example.org"), when_empty="delete").steps
    ]


def test_adopting_takes_over_what_is_for_the_same_mail() -> None:
    """Its words stay."""
    (step,) = drafted(item("SPF decides"), adopting=True).steps

    assert Action.UPDATE is step.action
    assert "exosync exosync/mimecast example.com 1: SPF decides" == step.detail.after.description
    (other,) = drafted(item("SPF decides", "example.org"), adopting=True).steps
    assert Action.CREATE is other.action


def test_another_owners_policy_is_refused() -> None:
    """Unless it is taken over."""
    rival = item(f"{Mark('other', 'one', DOMAIN, 1)} x")

    assert ["foreign_owner"] == [one.rule for one in drafted(rival).refusals]
    assert () == drafted(rival, adopting=True).refusals


def test_foreign_policies_for_the_domain_are_listed() -> None:
    """And nobody else's."""
    of = aim()
    found = observe(of, [item("theirs"), item("elsewhere", "x.example"), own()], {})

    assert ["“theirs”"] == [one.text.split(":")[0] for one in found.foreign]
