"""The configuration: read from YAML, the environment and secret files, and validated.

`find_config` finds the file and `load` makes a `Config` of it; what is wrong is told as one
ConfigError, each problem with file, line and key. `shown`, `schema` and `describe_settings`
tell what is in force and what can be set.
"""

from exosync.config.kinds import GROUP, Kinds, installed_kinds, load_kind
from exosync.config.loading import PLACES, Loaded, find_config, load
from exosync.config.models import (
    Config,
    FeedConfig,
    GuardsConfig,
    LogConfig,
    NamedRanges,
    RangesConfig,
    ScheduleConfig,
    TargetConfig,
    TargetKeys,
    TodoConfig,
)
from exosync.config.reference import Setting, describe_settings, schema, shown

__all__ = [
    "GROUP",
    "PLACES",
    "Config",
    "FeedConfig",
    "GuardsConfig",
    "Kinds",
    "Loaded",
    "LogConfig",
    "NamedRanges",
    "RangesConfig",
    "ScheduleConfig",
    "Setting",
    "TargetConfig",
    "TargetKeys",
    "TodoConfig",
    "describe_settings",
    "find_config",
    "installed_kinds",
    "load",
    "load_kind",
    "schema",
    "shown",
]
