"""Everything that can go wrong, as one tree.

* ExosyncError
  * ConfigError          the configuration cannot be used                  exit 64
  * UsageError           what was asked for does not exist or make sense   exit 64
    * MalformedError     it has to be given otherwise: no address, say     exit 64
  * RangeError           a text is not an address or a CIDR
  * FeedError            no usable answer from the endpoints web service   exit 4
    * FeedUnreachable    no answer: network, TLS, time-out, server error
    * FeedThrottled      told to come back later
    * FeedRejected       an answer that breaks a rule, never adopted
  * TargetError          a target could not be read, written or proven     exit 4
    * TargetUnreachable  no answer from the remote system
    * TargetDenied       credentials or permissions are missing
    * TargetConflict     it changed between reading and writing
    * StepDeclined       the remote system does not do such a step at all
  * AlertError           a channel did not take a message                  exit 4
  * RefusedError         a safety rule says no                             exit 3
  * LockHeldError        another run is at work                            exit 5
  * StoreError           the state cannot be read or written               exit 1

A message says what happened, where, and what to do. No message carries a secret.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta


class ExosyncError(Exception):
    """The root of the tree. `exit_code` is what the command ends with."""

    exit_code = 1


class ConfigError(ExosyncError):
    """The configuration cannot be used."""

    exit_code = 64


class UsageError(ExosyncError):
    """What was asked for does not exist or makes no sense."""

    exit_code = 64


class MalformedError(UsageError):
    """What was given has to be given otherwise: it is no address, say."""


class RangeError(ExosyncError, ValueError):
    """A text is not an IP address or a CIDR."""

    exit_code = 64


class FeedError(ExosyncError):
    """The endpoints web service gave no usable answer."""

    exit_code = 4


class FeedUnreachable(FeedError):
    """No answer: network, TLS, time-out or a server error."""


class FeedThrottled(FeedError):
    """The service asks to be left alone until `not_before` (UTC)."""

    def __init__(self, message: str, *, not_before: datetime) -> None:
        super().__init__(message)
        self.not_before = not_before


class FeedRejected(FeedError):
    """An answer that breaks a rule. `rule` is the rule's stable name; nothing is adopted."""

    def __init__(self, message: str, *, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class TargetError(ExosyncError):
    """A target could not be read, written or proven."""

    exit_code = 4


class TargetUnreachable(TargetError):
    """The remote system gives no answer."""


class TargetDenied(TargetError):
    """Credentials or permissions are missing or wrong."""


class TargetConflict(TargetError):
    """The remote system changed between reading and writing; nothing was written."""


class StepDeclined(TargetError):
    """The remote system does not do such a step by its API: it is left to a person."""


class AlertError(ExosyncError):
    """A channel did not take a message.

    `permanent`: it said that trying again will not help. `retry_after`: how long it asks to be
    left alone. `done`: the recipients who have the message all the same.
    """

    exit_code = 4

    def __init__(
        self,
        message: str,
        *,
        permanent: bool = False,
        retry_after: timedelta | None = None,
        done: Sequence[str] = (),
    ) -> None:
        super().__init__(message)
        self.permanent = permanent
        self.retry_after = retry_after
        self.done = tuple(done)


class RefusedError(ExosyncError):
    """A safety rule says no. `rule` is its stable name."""

    exit_code = 3

    def __init__(self, message: str, *, rule: str) -> None:
        super().__init__(message)
        self.rule = rule


class LockHeldError(ExosyncError):
    """Another run is at work on the same state."""

    exit_code = 5


class StoreError(ExosyncError):
    """The state cannot be read or written."""
