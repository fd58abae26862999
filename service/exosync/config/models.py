"""What a configuration holds. Every key's description is also what the documentation says."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, GetPydanticSchema
from pydantic_core import core_schema

from exosync.config import types
from exosync.config.alerts import AlertsConfig
from exosync.config.section import Section
from exosync.core import units
from exosync.core.pace import Pace
from exosync.core.ranges import IpRanges
from exosync.core.secret import SecretRef
from exosync.core.target import Mode, TargetKind
from exosync.core.windows import Window

Instance = Literal["Worldwide", "China", "USGovDoD", "USGovGCCHigh"]
Families = Literal["both", "ipv4", "ipv6"]


class FeedConfig(Section):
    """How Microsoft's endpoints web service is asked."""

    instance: Annotated[Instance, types.ANY_CASE_INSTANCE] = Field(
        default="Worldwide", description="Microsoft's cloud that the mailboxes are in."
    )
    url: types.HttpUrl = Field(
        default="https://endpoints.office.com",
        description="Address of the endpoints web service, or of a mirror of it.",
    )
    connect_timeout: types.Duration = Field(
        default=timedelta(seconds=10), description="How long to wait for a connection."
    )
    read_timeout: types.Duration = Field(
        default=timedelta(seconds=30), description="How long to wait for the next bytes."
    )
    deadline: types.Duration = Field(
        default=timedelta(minutes=2),
        description="How long one question may take, retries included.",
    )
    attempts: int = Field(default=3, ge=1, le=10, description="How often a question is tried.")
    max_size: types.Size = Field(
        default=8 * 1024**2, description="The largest answer that is read."
    )
    proxy: types.ProxyUrl | None = Field(
        default=None,
        description="Proxy on the way to the service. One with a password is given by "
        "EXOSYNC_FEED__PROXY or a secret file, not in the configuration file. "
        "Default: what the usual variables (HTTPS_PROXY) say.",
    )
    ca_bundle: Path | None = Field(
        default=None,
        description="File of CA certificates (PEM) to trust instead of the usual ones.",
    )
    offline: bool = Field(
        default=False,
        description="Never ask the service: only versions brought in by `feed import` are used.",
    )


class NamedRanges(Section):
    """Ranges that the configuration adds or takes out, and why."""

    cidr: types.Cidrs = Field(description="The ranges: one CIDR or a list of them.")
    name: types.OneLine = Field(description="What the ranges are called wherever they are shown.")
    reason: types.OneLine = Field(description="Why, for whoever reads it in a year.")

    @property
    def ranges(self) -> IpRanges:
        """The addresses."""
        return self.cidr


class RangesConfig(Section):
    """Which ranges are desired beside what Microsoft publishes now."""

    grace: types.Duration = Field(
        default=timedelta(days=30),
        description="How long an address stays desired after Microsoft has removed it.",
    )
    extra: tuple[NamedRanges, ...] = Field(
        default=(), description="Ranges to desire besides, such as Microsoft's relay pool."
    )
    exclude: tuple[NamedRanges, ...] = Field(
        default=(), description="Ranges to leave out although Microsoft publishes them."
    )


class GuardsConfig(Section):
    """When a plan is refused until a person approves it."""

    min_ranges: int = Field(
        default=4, ge=1, description="The fewest ranges that Microsoft's list may hold."
    )
    max_shrink: types.PartShare = Field(
        default=units.Share(Fraction(1, 10)),
        description="The largest share of what is owned that one plan may remove, by addresses "
        "and by ranges, each address family for itself.",
    )
    max_growth: types.Share = Field(
        default=units.Share(Fraction(1, 2)),
        description="The largest share of what is owned that one plan may add; may exceed 100%.",
    )
    max_shrink_ranges: int | None = Field(
        default=None, ge=0, description="The most ranges that one plan may remove in a family."
    )
    max_growth_ranges: int | None = Field(
        default=None, ge=0, description="The most ranges that one plan may add in a family."
    )
    widest_ipv4: int = Field(
        default=13, ge=0, le=32, description="The shortest IPv4 prefix that may be added."
    )
    widest_ipv6: int = Field(
        default=32, ge=0, le=128, description="The shortest IPv6 prefix that may be added."
    )
    max_feed_age: types.Duration = Field(
        default=timedelta(days=45),
        description="How long ago Microsoft's list may have been confirmed for a plan to go on.",
    )


class ScheduleConfig(Section):
    """When things are done."""

    feed: types.Duration = Field(
        default=timedelta(hours=1),
        description="The shortest time between two questions to the feed. Microsoft asks for "
        "an hour at least; less is accepted for other hosts alone.",
    )
    targets: types.PaceText = Field(
        default=Pace(every=timedelta(hours=1)),
        description="How often `exosync serve` runs each target: an interval, or a cron expression "
        "in UTC. A new version runs all of them at once.",
    )
    jitter: types.Duration = Field(
        default=timedelta(minutes=5),
        description="How much sooner or later, by chance, a thing is done than its interval says.",
    )
    windows: types.WindowTexts = Field(
        default=(),
        description="Maintenance windows: a run writes only then, and its plans wait. Always, if "
        "there are none. A person's `apply PLAN` does not wait.",
    )
    workers: int = Field(
        default=8, ge=1, le=64, description="How many targets `exosync serve` runs at a time."
    )
    slow_after: types.Duration = Field(
        default=timedelta(minutes=1),
        description="How long a target's run keeps others out of its place among the workers.",
    )
    stop_within: types.Duration = Field(
        default=timedelta(seconds=25),
        description="How long `exosync serve` waits for the steps in hand when it is told to stop.",
    )


class TodoConfig(Section):
    """How people are waited for, where only a person can do a step."""

    due: types.Duration = Field(
        default=timedelta(days=2),
        description="When a step for a person is due, from when it was first asked for.",
    )
    remind: types.Duration = Field(
        default=timedelta(days=1),
        description="The time between two reminders of a step that is overdue.",
    )
    confirm_again: types.Duration = Field(
        default=timedelta(days=180),
        description="How long a person's word counts for a setting that cannot be read; then it "
        "is to be looked at once more.",
    )


class WebConfig(Section):
    """The page, the JSON API, the metrics and the health of `exosync serve`."""

    listen: types.Listen | None = Field(
        default="127.0.0.1:8620",
        description="Address and port to listen on; null for none. Another address than loopback "
        "needs web.token or web.public.",
    )
    token: SecretRef | None = Field(
        default=None,
        description="What a reader must show, as a bearer token or on the sign-in page: at least 16 "
        "characters.",
    )
    public: bool = Field(
        default=False, description="Let everybody who can reach the address read everything."
    )
    hosts: tuple[types.OneLine, ...] = Field(
        default=(),
        description="Further names by which the page is called, as a proxy in front hands them on.",
    )


class LogConfig(Section):
    """What is written to stderr."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"],
        types.ANY_CASE,
    ] = Field(default="info", description="The least serious events that are logged.")
    format: Annotated[Literal["auto", "console", "json"], types.ANY_CASE] = Field(
        default="auto",
        description="auto: readable lines on a terminal, one JSON object a line otherwise.",
    )


class TargetKeys(Section):
    """The keys that every target has; those of its kind stand beside them."""

    name: types.TargetName = Field(
        description="Name of the target, unique, as commands and reports call it."
    )
    kind: str = Field(min_length=1, description="Kind of the target.")
    mode: Mode = Field(
        default=Mode.PLAN,
        description="watch: never written. plan: a person's `apply PLAN` writes. "
        "apply: every run writes.",
    )
    families: Families = Field(default="both", description="Address families that the target gets.")
    schedule: types.PaceText | None = Field(
        default=None,
        description="How often `exosync serve` runs the target. Default: schedule.targets.",
    )
    windows: types.WindowTexts | None = Field(
        default=None,
        description="The target's own maintenance windows. Default: schedule.windows.",
    )
    labels: tuple[types.OneLine, ...] = Field(
        default=(), description="Words by which alerts are routed."
    )


TARGET_KEYS = tuple(TargetKeys.model_fields)
"""The keys of a target that are not its kind's."""


@dataclass(frozen=True, slots=True)
class TargetConfig:
    """One target: the common keys, its kind, and the kind's own validated settings."""

    name: str
    kind: str
    mode: Mode
    families: Families
    settings: Any
    kind_object: TargetKind
    schedule: Pace | None = None
    windows: tuple[Window, ...] | None = None
    labels: tuple[str, ...] = ()

    @property
    def lists_ranges(self) -> bool:
        """Whether ranges are what the target holds."""
        return bool(getattr(self.kind_object, "lists_ranges", True))

    @property
    def is_router(self) -> bool:
        """Whether the target decides where mail goes."""
        return hasattr(self.kind_object, "trace")


# A target is validated by its kind, so there is nothing left to do here.
_Target = Annotated[
    TargetConfig, GetPydanticSchema(lambda _source, _handler: core_schema.any_schema())
]


class Config(Section):
    """The whole configuration, every default filled in."""

    feed: FeedConfig = Field(
        default_factory=FeedConfig, description="How Microsoft's endpoints web service is asked."
    )
    state: types.StateUrl = Field(
        default="sqlite:///exosync.db",
        description="Where everything is remembered; a relative path starts at the folder of the "
        "configuration file.",
    )
    owner: types.Owner = Field(
        default="exosync",
        description="Name in the marks of ownership. Two installations that share a target "
        "need two names; after a change, what the old name owns is foreign.",
    )
    ranges: RangesConfig = Field(
        default_factory=RangesConfig,
        description="Which ranges are desired beside what Microsoft publishes now.",
    )
    guards: GuardsConfig = Field(
        default_factory=GuardsConfig,
        description="When a plan is refused until a person approves it.",
    )
    schedule: ScheduleConfig = Field(
        default_factory=ScheduleConfig, description="When things are done."
    )
    todo: TodoConfig = Field(
        default_factory=TodoConfig,
        description="How people are waited for, where only a person can do a step.",
    )
    web: WebConfig = Field(
        default_factory=WebConfig,
        description="The page, the JSON API, the metrics and the health of `exosync serve`.",
    )
    alerts: AlertsConfig = Field(
        default_factory=AlertsConfig,
        description="When people are told of something, and by which channels.",
    )
    log: LogConfig = Field(default_factory=LogConfig, description="What is written to stderr.")
    targets: tuple[_Target, ...] = Field(
        min_length=1, description="The places that must know the ranges."
    )
