"""Planning: from what is desired and what was seen to steps on RRsets. Pure."""

from __future__ import annotations

from exosync.core.desired import Desired
from exosync.core.ranges import IpRanges
from exosync.core.target import Draft, Observed, Phase
from exosync_adapters.spf.aim import Aim
from exosync_adapters.spf.plan_domain import plan_domain
from exosync_adapters.spf.plan_leaf import plan_leaf
from exosync_adapters.spf.rules import cross_check
from exosync_adapters.spf.seen import Seen


def plan(aim: Aim, desired: Desired, observed: Observed, *, adopting: bool = False) -> Draft:
    """The draft: first the name where exosync publishes, then the domain's own record.

    The domain's record is left alone while its own state, or that of the name which it would
    refer to, is refused. With method `include` exosync owns no ranges, so the draft's base
    and goal are empty: there is nothing to shrink or to grow.
    """
    seen: Seen = observed.detail
    wanted = desired.only(aim.families)
    leaf = Draft(IpRanges(), IpRanges())
    if seen.leaf is not None:
        leaf = plan_leaf(aim, wanted, seen.leaf, observed.owned, adopting=adopting)
    domain = plan_domain(aim, wanted, seen, blocked=bool(leaf.refusals))
    steps = leaf.steps + domain.steps
    return Draft(
        base=leaf.base,
        goal=leaf.goal,
        steps=tuple(sorted(steps, key=lambda one: one.phase is Phase.REMOVE)),
        refusals=leaf.refusals + domain.refusals,
        findings=(*leaf.findings, *domain.findings, *cross_check(aim, desired, seen)),
    )
