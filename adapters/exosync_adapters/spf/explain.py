"""What SPF says of one address, in sentences."""

from __future__ import annotations

from exosync.core.ranges import IpRanges
from exosync.core.target import Knowledge
from exosync_adapters.dns.zone import LiveDns
from exosync_adapters.rfc7208.evaluate import Evaluator, Verdict
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.seen import Seen


def explain(aim: Aim, address: IpRanges, seen: Seen, live: LiveDns) -> Knowledge:
    """Whether mail from an address passes at the domain, and through which terms.

    It is known if it passes, and not known if it does not; what DNS does not tell is open.
    """
    overlay = {at.name: at.rrset.texts for at in seen.names if not at.rrset.wildcard}
    evaluator = Evaluator(live, overlay)
    samples = address.samples()[:1]
    domain = evaluator.evaluate(samples, aim.domain)
    says = [_sentence(one) for one in domain]
    if seen.leaf is not None:
        says += [_sentence(one) for one in evaluator.evaluate(samples, seen.leaf.name)]
    results = {one.result for one in domain}
    return Knowledge(None if "temperror" in results else "pass" in results, tuple(says))


def _sentence(verdict: Verdict) -> str:
    return f"SPF of {verdict.domain} says {verdict.told} of {verdict.address}"
