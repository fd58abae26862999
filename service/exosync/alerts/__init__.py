"""Alerts: people and programs are told of what happened, once, however long it takes.

An event is written in the same transaction as its fact. From there each channel collects into
an outbox of its own, gathers what belongs together, and sends at least once, with a key by
which receivers know a repeat. Nothing is dropped: what does not arrive is tried for days, and
then stays where it is seen.
"""

from exosync.alerts.building import build_channels
from exosync.alerts.channel import Channel, ChannelJob, Message
from exosync.alerts.health import (
    ChannelHealth,
    check_channel,
    check_outbox,
    check_templates,
    pending,
)
from exosync.alerts.heartbeat import heartbeat_event
from exosync.alerts.service import Ticked, enrol, flush, tick, try_channel

__all__ = [
    "Channel",
    "ChannelHealth",
    "ChannelJob",
    "Message",
    "Ticked",
    "build_channels",
    "check_channel",
    "check_outbox",
    "check_templates",
    "enrol",
    "flush",
    "heartbeat_event",
    "pending",
    "tick",
    "try_channel",
]
