"""The certificates and credentials whose end can be known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any

from exosync.core.secret import SecretRef
from exosync.errors import ExosyncError
from exosync.secrets import reveal
from exosync.watch import Ending, certificates

if TYPE_CHECKING:
    from exosync.config import Loaded, TargetConfig

Reveal = Callable[[SecretRef], str]
Endings = Callable[[Any, Reveal], Iterable[tuple[str, datetime]]]


def endings(loaded: Loaded, environ: Mapping[str, str]) -> Iterator[Ending]:
    """The certificates and credentials whose end can be known."""
    config = loaded.config
    bundles = {"feed.ca_bundle": config.feed.ca_bundle}
    for one in config.alerts.channels:
        bundles[f"the ca_bundle of channel {one.name}"] = one.ca_bundle
        if one.smtp is not None:
            bundles[f"the smtp.ca_bundle of channel {one.name}"] = one.smtp.ca_bundle
    for what, path in bundles.items():
        if path is not None:
            yield from certificates(loaded.base / path, what)
    for target in config.targets:
        ask = getattr(target.kind_object, "endings", None)
        if ask is not None:
            yield from _of_target(target, ask, partial(reveal, base=loaded.base, environ=environ))


def _of_target(target: TargetConfig, ask: Endings, reveal_one: Reveal) -> Iterator[Ending]:
    """What ends of a target's credentials; one that cannot be read fails the target's own runs."""
    with suppress(ExosyncError):
        for what, at in ask(target.settings, reveal_one):
            yield Ending(f"{what} of target {target.name}", at)
