"""What the service does when the machine's clock is set."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

from exosync.config import load
from exosync.daemon.service import Service
from exosync.store import Store

NOW = datetime(2026, 11, 25, 10, 17, tzinfo=UTC)


def test_a_clock_set_back_stops_no_heartbeat(tmp_path: Path) -> None:
    """Else a service that died would count as alive until the time from which it was set back."""
    path = tmp_path / "exosync.yaml"
    path.write_text("targets: [{name: edge, kind: file, path: exo.txt}]\n")
    loaded = load(path, environ={})
    clock = [NOW + timedelta(days=31)]
    service = Service(loaded, read=lambda: loaded, environ={}, now=lambda: clock[0])
    service._begin()
    service._listen()
    clock[0] = NOW
    service._listen()
    service._deafen()
    with Store.open(loaded.config.state, base=loaded.base) as store:
        known = store.service()
    assert known is not None
    assert NOW == known.beat_at
