"""Which targets share a vendor's account, so that one of them is run at a time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from exosync.config import Config, load
from exosync.daemon.jobs import account_of, pace_of, target_of


def config(tmp_path: Path, *targets: dict[str, Any], **sections: Any) -> Config:
    """A configuration of these targets."""
    path = tmp_path / "exosync.yaml"
    path.write_text(yaml.safe_dump({**sections, "targets": list(targets)}))
    return load(path, environ={}).config


def mimecast(name: str, secret: str, domain: str) -> dict[str, Any]:
    """A Mimecast target."""
    return {
        "name": name,
        "kind": "mimecast",
        "client_id": {"file": secret},
        "client_secret": {"file": "secret"},
        "domains": [domain],
        "settings": ["anti_spoofing"],
    }


def spf(name: str, domain: str) -> dict[str, Any]:
    """An SPF target."""
    return {"name": name, "kind": "spf", "domain": domain}


def file(name: str) -> dict[str, Any]:
    """A file target."""
    return {"name": name, "kind": "file", "path": f"{name}.txt"}


def test_targets_of_one_account_are_in_one_group(tmp_path: Path) -> None:
    """By application at Mimecast, by zone in DNS; files do not mind each other."""
    made = config(
        tmp_path,
        mimecast("m1", "one", "a.example"),
        mimecast("m2", "one", "b.example"),
        mimecast("m3", "two", "c.example"),
        spf("s1", "a.example"),
        spf("s2", "b.example"),
        file("f1"),
    )
    accounts = {one.name: account_of(made, one.name) for one in made.targets}
    assert accounts["m1"] == accounts["m2"]
    assert len({accounts[name] for name in ("m1", "m3", "s1", "s2")}) == 4
    assert ("", "") == (accounts["f1"], account_of(made, "gone"))


def test_a_target_has_a_pace_of_its_own_or_that_of_all(tmp_path: Path) -> None:
    """Whatever was taken out of the configuration has that of all."""
    made = config(
        tmp_path,
        {**file("a"), "schedule": "0 */2 * * *"},
        file("b"),
        schedule={"targets": "30m"},
    )
    paces = [str(pace_of(made, name)) for name in ("a", "b", "gone")]
    assert ["0 */2 * * *", "30m", "30m"] == paces
    assert target_of(made, "gone") is None
