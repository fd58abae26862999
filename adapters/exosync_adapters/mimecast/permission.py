"""What can be tried at the policies of an account without changing anything."""

from __future__ import annotations

from collections.abc import Iterator

from exosync.core.target import Check
from exosync.core.words import plural
from exosync.errors import TargetDenied, TargetError
from exosync_adapters.mimecast.account import Account
from exosync_adapters.mimecast.faults import POLICIES, MissingError, RejectedError
from exosync_adapters.mimecast.ledger import Owner, sort_out

ROLE = (
    f"the application needs {POLICIES.both} in its role; products cannot be changed later, so a "
    "new application may be needed"
)
"""Name and products of an application cannot be changed (Mimecast support 34000360548755)."""


def checks(account: Account, family: str, owner: Owner) -> Iterator[Check]:
    """Reading all pages, our own marks, and the permission to write."""
    name = f"read {family}"
    try:
        policies = account.policies(family)
    except TargetDenied as error:
        yield Check(name, ok=False, message=str(error), remedy=ROLE)
        return
    except TargetError as error:
        yield Check(name, ok=False, message=str(error))
        return
    ledger = sort_out(policies, owner, {})
    ours = plural(len(ledger.own), "policy")
    told = f"{plural(len(policies), f'{family} policy')} on all pages, {ours} of this target"
    yield Check(name, ok=True, message=told)
    for refusal in ledger.refusals():
        yield Check("marks", ok=False, message=refusal.message)
    if not ledger.twice and not ledger.rivals:
        yield Check("marks", ok=True, message=f"no mark in {family} stands twice")
    yield _writing(account, family)


def _writing(account: Account, family: str) -> Check:
    """Whether policies may be changed, asked with an id that no policy has.

    The order in which Mimecast looks at permission and id is not published. Its gateway, which
    knows an application's products and role, stands before the functions, which know the ids: so
    an answer about the id makes the permission likely, and no answer proves it.
    """
    name = f"write {family}"
    try:
        account.try_to_write(family)
    except TargetDenied as error:
        return Check(name, ok=False, message=str(error), remedy=ROLE)
    except RejectedError as error:
        # A status alone may come from anything in between, unless it is about what is missing.
        if not (error.fault.wrongs or isinstance(error, MissingError)):
            return Check(name, ok=None, message=f"cannot be tried without writing: {error}")
        told = (
            f"asked to change a policy that does not exist, Mimecast spoke of the policy and not of "
            f"permission ({error}); a real write has not been tried"
        )
        return Check(name, ok=True, message=told)
    except TargetError as error:
        return Check(name, ok=None, message=f"cannot be tried without writing: {error}")
    told = "cannot be tried without writing: Mimecast took a change of a policy that does not exist"
    return Check(name, ok=None, message=told)
