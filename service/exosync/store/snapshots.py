"""What Microsoft said: the feed's state, the stored versions, and which of them counted when."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, insert, select

from exosync.errors import StoreError, UsageError
from exosync.store.columns import sha256_of
from exosync.store.records import Adoption, FeedState, SnapshotInfo, SnapshotRecord
from exosync.store.session import Session, put
from exosync.store.tables import adoptions, feed, meta, snapshots

_INFO = [column for column in snapshots.c if column.name != "body"]
_ADOPTION = (adoptions.c.version, adoptions.c.adopted_at)


class Snapshots(Session):
    """The part of the store about the feed."""

    def client_id(self) -> str:
        """The GUID by which the endpoints web service knows this state; made once and kept.

        Microsoft asks for one per machine (Office 365 IP Address and URL web service,
        "Common parameters").
        """
        query = select(meta.c.value).where(meta.c.name == "client_id")
        with self._reading() as connection:
            known = connection.execute(query).scalar()
        if known is not None:
            return str(known)
        from uuid import uuid4

        with self._writing() as connection:
            known = connection.execute(query).scalar()
            if known is None:
                known = str(uuid4())
                connection.execute(insert(meta).values(name="client_id", value=known))
        return str(known)

    def feed_state(self, instance: str) -> FeedState:
        """What is known of the feed; an empty state if it was never asked."""
        columns = [column for column in feed.c if column.name != "instance"]
        with self._reading() as connection:
            query = select(*columns).where(feed.c.instance == instance)
            row = connection.execute(query).mappings().first()
        return FeedState(**row) if row else FeedState()

    def save_feed_state(self, instance: str, state: FeedState) -> None:
        """Replace what is known of the feed."""
        with self._writing() as connection:
            put(connection, feed, {"instance": instance}, asdict(state))

    def add_snapshot(self, record: SnapshotRecord) -> None:
        """Store a version. Storing the same again changes nothing.

        Raises UsageError if that version is stored with other content, and StoreError if the
        digest is not that of the body.
        """
        if sha256_of(record.body) != record.sha256:
            message = f"the SHA-256 given with version {record.version} is not that of its body"
            raise StoreError(message)
        with self._writing() as connection:
            known = _info(connection, record.instance, record.version)
            if known is None:
                connection.execute(insert(snapshots).values(**asdict(record)))
            elif known.sha256 != record.sha256:
                raise UsageError(_other_content(known, record))

    def snapshot(self, instance: str, version: str) -> SnapshotRecord | None:
        """A stored version; None if there is none. StoreError if it was tampered with."""
        with self._reading() as connection:
            query = select(snapshots).where(_is(instance, version))
            row = connection.execute(query).mappings().first()
        if row is None:
            return None
        record = SnapshotRecord(**row)
        if sha256_of(record.body) != record.sha256:
            message = (
                f"the stored version {version} of {instance} is damaged: its SHA-256 is not the one "
                f"that was written down; put a backup of {self.path} in its place"
            )
            raise StoreError(message)
        return record

    def snapshots(self, instance: str) -> list[SnapshotInfo]:
        """All stored versions of an instance, oldest version first."""
        query = select(*_INFO).where(snapshots.c.instance == instance)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(snapshots.c.version)).mappings()
            return [SnapshotInfo(**row) for row in rows]

    def adopt(self, instance: str, version: str, at: datetime) -> None:
        """Let a stored version count from `at` on. The one that counts already is left alone.

        Raises StoreError for one that is not stored, or older than the one that counts.
        """
        with self._writing() as connection:
            current = _newest(connection, instance)
            if current is not None and current.version == version:
                return
            if current is not None and current.version > version:
                message = (
                    f"{instance}: version {version} is older than {current.version}, which counts"
                )
                raise StoreError(message)
            if _info(connection, instance, version) is None:
                message = f"{instance}: version {version} must be stored before it can count"
                raise StoreError(message)
            values = {"instance": instance, "version": version, "adopted_at": at}
            connection.execute(insert(adoptions).values(**values))

    def adopted(self, instance: str) -> Adoption | None:
        """The version that counts now."""
        with self._reading() as connection:
            return _newest(connection, instance)

    def adoptions(self, instance: str, *, since: datetime | None = None) -> list[Adoption]:
        """What counted when, in order; from `since` on, and what counted just before that."""
        query = select(*_ADOPTION).where(adoptions.c.instance == instance)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(adoptions.c.id)).mappings()
            found = [Adoption(**row) for row in rows]
        if since is None:
            return found
        # By the order of adoption, not of time: the clock may have been set back in between.
        first = next((n for n, one in enumerate(found) if one.adopted_at >= since), len(found))
        return found[max(first - 1, 0) :]


def _is(instance: str, version: str) -> ColumnElement[bool]:
    return (snapshots.c.instance == instance) & (snapshots.c.version == version)


def _info(connection: Connection, instance: str, version: str) -> SnapshotInfo | None:
    row = connection.execute(select(*_INFO).where(_is(instance, version))).mappings().first()
    return SnapshotInfo(**row) if row else None


def _newest(connection: Connection, instance: str) -> Adoption | None:
    query = select(*_ADOPTION).where(adoptions.c.instance == instance)
    row = connection.execute(query.order_by(adoptions.c.id.desc()).limit(1)).mappings().first()
    return Adoption(**row) if row else None


def _other_content(known: SnapshotInfo, record: SnapshotRecord) -> str:
    return (
        f"version {known.version} of {known.instance} is stored already with other content (SHA-256 "
        f"{known.sha256[:12]}…, from {known.source} at {known.fetched_at:%Y-%m-%d %H:%M} UTC; this one "
        f"{record.sha256[:12]}…, from {record.source}): a stored version is never replaced; check "
        "which of the two is Microsoft's"
    )
