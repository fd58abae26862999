"""Writing one policy: read, compare, write, read again until it is so.

The vendor has no compare-and-swap: no ETag and no version is in any published schema. So each
write is preceded by a read of the policy (by its id, and by its mark where the id leads nowhere)
and by a comparison with what the plan was made over. Between that read and the write somebody
else's change can still slip in: it is then lost in the fields that we change, and in no other,
since a PATCH holds only the fields that differ. Nothing at this vendor can close that gap.

A change takes up to five minutes to reach all of Mimecast (support 34000376923795). Whether
answers of the API lag too is unknown, so they are waited for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from exosync.errors import TargetConflict, TargetError, TargetUnreachable
from exosync_adapters.mimecast import rules
from exosync_adapters.mimecast.account import CONDITIONS, Account
from exosync_adapters.mimecast.faults import MissingError, RejectedError, UnansweredError
from exosync_adapters.mimecast.layout import count_policies
from exosync_adapters.mimecast.marks import Mark
from exosync_adapters.mimecast.policy import Policy, created, differences, prefix, written
from exosync_adapters.mimecast.steps import Write

_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 15.0
_LOOK_UP = 10.0
"""Seconds for which a policy is looked for whose creation was not answered."""

_WIDEST = 24
"""What Mimecast limits addresses to "in some circumstances" (support 34000660941843)."""


class Writer:
    """Does the steps on policies of one target at one account.

    `settle` are the seconds within which a change must read back; `limit` is the most ranges of
    one policy, for the advice when some are refused.
    """

    def __init__(
        self,
        target: str,
        account: Account,
        *,
        settle: float,
        limit: int,
        pause: Callable[[float], None],
    ) -> None:
        self._target, self._account = target, account
        self._settle, self._limit, self._pause = settle, limit, pause

    def apply(self, write: Write) -> None:
        """Do one step.

        Raises TargetConflict where the policy is not as the plan was made over, TargetError
        where it does not read back as written, and what the account raises.
        """
        if write.before is None:
            self._create(write)
        elif write.after is None:
            self._delete(write, write.before)
        else:
            self._update(write, write.before, write.after)

    def _create(self, write: Write) -> None:
        """A new policy, if none carries its mark."""
        assert write.after is not None, "a step without a policy before has one after"
        found = self._by_mark(write)
        if found is not None:
            self._must_be(write, found, write.after)
            return
        try:
            made = self._account.create(write.family, created(write.after))
        except UnansweredError as error:
            made = self._looked_up(write, error)
        except RejectedError as error:
            raise self._rejected(write, error) from None
        self._wait_for(write, made, write.after)

    def _looked_up(self, write: Write, error: UnansweredError) -> str:
        """The id of a policy whose creation was not answered: another one must not be made."""
        for _ in self._looks(min(self._settle, _LOOK_UP)):
            found = self._by_mark(write)
            if found is not None:
                return found.id
        raise TargetUnreachable(
            f"{error}; no policy carries the mark “{write.mark}”, so it was not made, or does not "
            "show yet: the next run looks for it again before it makes one"
        ) from None

    def _update(self, write: Write, before: Policy, after: Policy) -> None:
        """The fields that differ, if all is as the plan was made over."""
        found = self._current(write, before)
        if self._done(write, found, after):
            return
        self._must_be_expected(write, before, found)
        self._patch(write, found, after)
        self._wait_for(write, found.id, after)

    def _patch(self, write: Write, found: Policy, after: Policy) -> None:
        """One PATCH; sent again once if it was not answered and left no trace."""
        if after.enabled and not _condition(write, after):
            raise TargetError(f"{write.mark} would hold for every source: nothing was sent")
        body = written(after, self._fields(write, found, after))
        for attempt in (1, 2):
            try:
                self._account.update(write.family, found.id, body)
            except UnansweredError:
                if attempt == 2:
                    raise
                if self._arrived(write, found, after):
                    return
            except MissingError:
                raise self._conflict(write, "it is gone") from None
            except RejectedError as error:
                raise self._rejected(write, error) from None
            else:
                return

    def _arrived(self, write: Write, found: Policy, after: Policy) -> bool:
        """Whether a PATCH that was not answered was made. Raises TargetConflict for another's."""
        now = self._read(write, found.id)
        if now is not None and self._done(write, now, after):
            return True
        if now is None or now.token != found.token:
            raise TargetConflict(
                f"target {self._target}: policy “{write.mark}” was changed by somebody else while "
                "it was being written, and the write was not answered: run again to plan from "
                "what is there now"
            )
        return False

    def _delete(self, write: Write, before: Policy) -> None:
        found = self._read(write, before.id) or self._by_mark(write)
        if found is None:
            return
        self._must_be_marked(write, found)
        self._must_be_expected(write, before, found)
        for attempt in (1, 2):
            try:
                self._account.delete(write.family, found.id)
            except MissingError:
                break
            except UnansweredError:
                # To delete what is gone is harmless, so it is asked for once more.
                if attempt == 2:
                    raise
            else:
                break
        for _ in self._looks(self._settle):
            if self._read(write, found.id) is None:
                return
        raise TargetError(f"{write.mark} was deleted, but after {self._settle:g} s it still shows")

    def _current(self, write: Write, before: Policy) -> Policy:
        """The policy as it is now. Raises TargetConflict if it is gone or no longer ours."""
        found = self._read(write, before.id)
        if found is None:
            # Ids may read differently later.
            found = self._same(write, before) if write.adopting else self._by_mark(write)
        if found is None:
            raise self._conflict(write, "it is gone")
        if not (write.adopting and found.description == before.description):
            self._must_be_marked(write, found)
        return found

    def _read(self, write: Write, policy_id: str) -> Policy | None:
        return self._account.policy(write.family, policy_id) if policy_id else None

    def _by_mark(self, write: Write) -> Policy | None:
        """The one policy with the mark, from the whole list."""
        policies = self._account.policies(write.family)
        found = [one for one in policies if Mark.read(one.description) == write.mark]
        if len(found) > 1:
            raise self._conflict(write, f"{len(found)} policies carry its mark")
        return found[0] if found else None

    def _same(self, write: Write, before: Policy) -> Policy | None:
        """The one policy that is as it was before, by its description and its fields."""
        found = [
            one
            for one in self._account.policies(write.family)
            if (one.description, one.token) == (before.description, before.token)
        ]
        return found[0] if len(found) == 1 else None

    def _done(self, write: Write, found: Policy, after: Policy) -> bool:
        """Whether a policy is as it should be, its mark included."""
        return Mark.read(found.description) == write.mark and not differences(after, found)

    def _fields(self, write: Write, found: Policy, after: Policy) -> tuple[str, ...]:
        described = Mark.read(found.description) == write.mark
        return (*(() if described else ("description",)), *differences(after, found))

    def _must_be(self, write: Write, found: Policy, after: Policy) -> None:
        wrong = differences(after, found)
        if wrong:
            raise self._conflict(write, f"it is there already, with other {', '.join(wrong)}")

    def _must_be_marked(self, write: Write, found: Policy) -> None:
        if Mark.read(found.description) != write.mark:
            raise self._conflict(write, f"its description is now {rules.quoted(found)}")

    def _must_be_expected(self, write: Write, before: Policy, found: Policy) -> None:
        if found.token != before.token:
            wrong = ", ".join(differences(before, found)) or "its fields"
            raise self._conflict(write, f"somebody changed {wrong}")

    def _conflict(self, write: Write, what: str) -> TargetConflict:
        return TargetConflict(
            f"target {self._target}: policy “{write.mark}” is not as the plan was made over ({what}); "
            "nothing was written: run again to plan from what is there now"
        )

    def _wait_for(self, write: Write, policy_id: str, after: Policy) -> None:
        """Read until the policy is as it was written, field by field."""
        found: Policy | None = None
        for _ in self._looks(self._settle):
            found = self._read(write, policy_id) if policy_id else self._by_mark(write)
            if found is not None and self._done(write, found, after):
                return
        if found is None and policy_id:
            found = self._by_mark(write)
        wrong = [] if found is None else list(self._fields(write, found, after))
        if found is not None and not wrong:
            return
        told = f"with other {', '.join(wrong)}" if wrong else "not at all"
        raise TargetError(
            f"target {self._target}: policy “{write.mark}” was written, but after "
            f"{self._settle:g} s it reads back {told}; see it in the console, or raise settle"
        )

    def _rejected(self, write: Write, error: RejectedError) -> TargetError:
        """What Mimecast does not take, with the ranges that may be the reason."""
        after = write.after
        if after is None or not after.sources or not error.fault.names("sourceIPs"):
            return TargetError(f"target {self._target}: policy “{write.mark}”: {error}")
        wide = [one for one in after.sources.entries if prefix(one) < _WIDEST]
        entries, policies = count_policies(write.goal, limit=self._limit, split_to=_WIDEST)
        told = ", ".join(wide[:8]) + (f" and {len(wide) - 8} more" if len(wide) > 8 else "")
        advice = (
            f"among its ranges are some wider than /{_WIDEST}: {told}. If the account takes none "
            f"of these, `split_to: {_WIDEST}` would write {entries:,} entries in {policies:,} "
            "policies for this sender"
            if wide
            else f"it was to hold {len(after.sources.entries)} ranges: "
            f"{rules.few(after.sources.ranges)}"
        )
        return TargetError(
            f"target {self._target}: Mimecast refuses the ranges of policy “{write.mark}”: {error}; "
            f"{advice}; if it takes fewer ranges a policy, lower ranges_per_policy"
        )

    def _looks(self, within: float) -> Iterator[None]:
        """Now, and again after ever longer pauses, until the time is over."""
        yield None
        paused, step = 0.0, _FIRST_PAUSE
        while paused < within:
            step = min(step, within - paused)
            self._pause(step)
            paused, step = paused + step, min(step * 2, _LONGEST_PAUSE)
            yield None


def _condition(write: Write, policy: Policy) -> bool:
    """Whether a policy holds the list that it must never be without."""
    held = policy.sources.entries if CONDITIONS[write.family] == "sourceIPs" else policy.spf_domains
    return bool(held)
