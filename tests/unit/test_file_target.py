"""A file target from observing to proving, and everything that can be in its way."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from exosync.core.ranges import IpRanges
from exosync.core.target import (
    ABSENT,
    Action,
    Check,
    Context,
    Knowledge,
    Observed,
    Phase,
    Step,
    Target,
    TargetKind,
)
from exosync.errors import ConfigError, TargetConflict, TargetDenied, TargetError
from exosync_adapters.file import atomic, kind
from exosync_adapters.file.mark import Mark
from exosync_adapters.file.settings import FileSettings, Format
from exosync_adapters.file.target import FileTarget
from tests.support.file_targets import (
    MAIL,
    NASTY,
    bring,
    desired,
    file_target,
    settings,
    watched_target,
)
from tests.support.state import bound_by_permissions

OURS = f"# {Mark('exosync', 'edge').sentence}\n"
TEMPLATE = "# {{ mark }}\n{% for cidr in ranges %}\n{{ cidr }}\n{% endfor %}\n"


def no_secret(_reference: object) -> str:
    """A file target has no secrets."""
    raise AssertionError


def context(base: Path) -> Context:
    """What the service hands to a kind."""
    return Context("exosync", "both", "Worldwide", base, no_secret, lambda _seconds: None)


def outcomes(target: FileTarget) -> dict[str, bool | None]:
    """What `check` says, by name."""
    return {check.name: check.ok for check in target.check()}


def failed(target: FileTarget) -> list[Check]:
    """What `check` finds wrong."""
    return [check for check in target.check() if check.ok is not True]


def texts(folder: Path) -> dict[str, str]:
    """Every file of a folder."""
    return {one.name: one.read_text() for one in folder.iterdir()}


# --- the kind


def test_the_kind_keeps_the_contract(tmp_path: Path) -> None:
    """The entry point's object is a kind, and what it makes a target."""
    one: TargetKind = kind
    target: Target = one.build("edge", settings(), context(tmp_path))
    assert ("file", FileSettings) == (one.name, one.settings)
    assert ("edge", "file") == (target.name, target.kind)


def test_building_a_target_touches_nothing(tmp_path: Path) -> None:
    """A target can be made for a folder that does not exist."""
    target = kind.build("edge", settings(path="list"), context(tmp_path / "none"))
    assert tmp_path / "none" / "list" == target.path
    assert [] == list(tmp_path.iterdir())


def test_an_absolute_path_stays(tmp_path: Path) -> None:
    """The base folder is for relative paths."""
    target = kind.build("edge", settings(path=str(tmp_path / "a")), context(Path("/nowhere")))
    assert tmp_path / "a" == target.path


def test_the_configuration_holds_what_the_format_uses(tmp_path: Path) -> None:
    """Keys of other formats change no plan's id."""
    assert {"path": "list", "format": "plain", "permissions": "0644"} == dict(
        file_target(tmp_path).configuration()
    )
    postfix = file_target(tmp_path, format="postfix").configuration()
    assert {"path", "format", "permissions", "value"} == set(postfix)


# --- the ordinary way


def test_a_first_sync_creates_the_file(tmp_path: Path) -> None:
    """Where nothing is, one step adds everything, and the proof holds."""
    target, wanted = file_target(tmp_path), desired()
    draft, observed = bring(target, wanted)
    [step] = draft.steps
    assert (Phase.ADD, Action.CREATE, "", ABSENT) == (
        step.phase,
        step.action,
        step.before,
        step.expects,
    )
    assert f"file:{tmp_path}/list" == step.resource
    assert (IpRanges(), wanted.ranges) == (draft.base, draft.goal)
    assert wanted.ranges == observed.owned
    assert step.gives == observed.resources[step.resource]
    assert target.verify(wanted, observed).ok
    assert step.after == (tmp_path / "list").read_text()


@pytest.mark.parametrize("form", Format)
def test_what_is_as_desired_is_left_alone(tmp_path: Path, form: Format) -> None:
    """In every format, a second run has nothing to do."""
    (tmp_path / "list.j2").write_text(TEMPLATE)
    more = {"template": "list.j2"} if form is Format.TEMPLATE else {}
    target = file_target(tmp_path, format=form, **more)
    wanted = desired(extra=[("40.95.0.0/16", NASTY[0], NASTY[2])], leaving=["23.103.128.0/19"])
    _, observed = bring(target, wanted)
    draft = target.plan(wanted, observed)
    assert ((), (), ()) == (draft.steps, draft.refusals, draft.findings)
    assert target.verify(wanted, observed).ok
    assert wanted.ranges == observed.owned


def test_additions_come_before_removals(tmp_path: Path) -> None:
    """A change both ways is two steps: first all that is old and new, then what is desired."""
    target = file_target(tmp_path)
    bring(target, desired("40.92.0.0/15", "52.100.0.0/14"))
    wanted = desired("40.92.0.0/15", "40.107.0.0/16")
    draft = target.plan(wanted, target.observe())
    add, remove = draft.steps
    assert [Phase.ADD, Phase.REMOVE] == [add.phase, remove.phase]
    assert (add.gives, add.after) == (remove.expects, remove.before)
    target.apply(add)
    both = IpRanges.parse(["40.92.0.0/15", "52.100.0.0/14", "40.107.0.0/16"])
    assert both == target.observe().owned
    target.apply(remove)
    assert wanted.ranges == target.observe().owned
    assert "add 40.107.0.0/16" in add.summary
    assert "remove 52.100.0.0/14" in remove.summary


def test_a_removal_alone_is_one_step(tmp_path: Path) -> None:
    """What only goes is one step of the removing phase."""
    target = file_target(tmp_path)
    bring(target, desired("40.92.0.0/15", "52.100.0.0/14"))
    [step] = target.plan(desired("40.92.0.0/15"), target.observe()).steps
    assert (Phase.REMOVE, Action.UPDATE) == (step.phase, step.action)


def test_a_changed_note_is_written(tmp_path: Path) -> None:
    """The file changes if only its notes do, and the guards see the same ranges."""
    target = file_target(tmp_path)
    bring(target, desired(extra=[("40.95.0.0/16", "relay", "old")]))
    draft = target.plan(desired(extra=[("40.95.0.0/16", "relay", "new")]), target.observe())
    [step] = draft.steps
    assert "the same ranges, other text" in step.summary
    assert draft.base == draft.goal


def test_a_change_by_hand_is_planned_back(tmp_path: Path) -> None:
    """A file with our mark stays ours whatever was done to it."""
    target, wanted = file_target(tmp_path), desired()
    bring(target, wanted)
    file = tmp_path / "list"
    file.write_text(file.read_text().replace("40.92.0.0/15", "10.0.0.0/8"))
    observed = target.observe()
    assert not target.verify(wanted, observed).ok
    assert "10.0.0.0/8" in observed.owned
    bring(target, wanted)
    assert target.verify(wanted, target.observe()).ok


def test_another_format_is_taken_in_its_stride(tmp_path: Path) -> None:
    """When the format changes, the ranges of the old file still count, so nothing is new."""
    bring(file_target(tmp_path, format="json"), desired())
    for form in (Format.NFTABLES, Format.POSTFIX, Format.CSV, Format.TERRAFORM, Format.PLAIN):
        target = file_target(tmp_path, format=form)
        draft, observed = bring(target, desired())
        assert 1 == len(draft.steps)
        assert draft.base == draft.goal == observed.owned == desired().ranges


def test_nothing_desired_is_never_written(tmp_path: Path) -> None:
    """A file without any range is refused, whatever the guards of the service think."""
    draft = file_target(tmp_path).plan(
        desired("40.92.0.0/15").only("ipv6"), file_target(tmp_path).observe()
    )
    assert () == draft.steps
    assert ["empty"] == [one.rule for one in draft.refusals]


@pytest.mark.parametrize("text", ["", " \n\t\n", "\ufeff\n"])
def test_an_empty_file_is_nobodys(tmp_path: Path, text: str) -> None:
    """A file with nothing in it can be filled without adoption."""
    (tmp_path / "list").write_text(text)
    draft, observed = bring(file_target(tmp_path), desired())
    assert [Action.UPDATE] == [step.action for step in draft.steps]
    assert desired().ranges == observed.owned


# --- ownership


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"40.92.0.0/15\n", "no mark of exosync"),
        (f"# {Mark('us', 'edge').sentence}\n40.92.0.0/15\n".encode(), "owner=us, target=edge"),
        (f"# {Mark('exosync', 'b').sentence}\n40.92.0.0/15\n".encode(), "target=b"),
        (OURS.encode() + b"\xff\xfe\n40.92.0.0/15\n", "no UTF-8"),
    ],
)
def test_a_foreign_file_is_refused(tmp_path: Path, data: bytes, told: str) -> None:
    """What does not carry our mark is listed, never changed, and no approval helps."""
    (tmp_path / "list").write_bytes(data)
    target = file_target(tmp_path)
    observed = target.observe()
    draft = target.plan(desired(), observed)
    [refusal] = draft.refusals
    assert ("foreign_owner", False) == (refusal.rule, refusal.approvable)
    assert "`exosync adopt edge`" in refusal.message
    assert told in refusal.message
    assert ((), IpRanges()) == (draft.steps, observed.owned)
    [foreign] = observed.foreign
    assert IpRanges.parse("40.92.0.0/15") == foreign.ranges
    assert "40.92" not in foreign.text
    assert "1 range, " in foreign.text


def test_adopting_takes_a_foreign_file_over(tmp_path: Path) -> None:
    """An adopted file counts with its ranges, and loses none before the new ones are there."""
    (tmp_path / "list").write_text("40.92.0.0/15\n10.0.0.0/8 # ours\n")
    target, wanted = file_target(tmp_path), desired()
    draft = target.plan(wanted, target.observe(), adopting=True)
    assert () == draft.refusals
    assert IpRanges.parse(["40.92.0.0/15", "10.0.0.0/8"]) == draft.base
    assert [Phase.ADD, Phase.REMOVE] == [step.phase for step in draft.steps]
    assert "40.92.0.0/15\n10.0.0.0/8 # ours\n" == draft.steps[0].before
    target.apply(draft.steps[0])
    assert draft.base <= target.observe().owned
    target.apply(draft.steps[1])
    assert target.verify(wanted, target.observe()).ok


def test_adopting_a_file_that_is_no_text(tmp_path: Path) -> None:
    """Even a file that is not UTF-8 can be taken over."""
    (tmp_path / "list").write_bytes(b"# \xe4\n40.92.0.0/15\n")
    bring(file_target(tmp_path), desired(), adopting=True)
    assert desired().ranges == file_target(tmp_path).observe().owned


def test_adopting_what_is_ours_is_an_ordinary_plan(tmp_path: Path) -> None:
    """There is nothing to take over then."""
    target = file_target(tmp_path)
    bring(target, desired())
    assert () == target.plan(desired(), target.observe(), adopting=True).steps


# --- applying


def test_a_step_is_done_once(tmp_path: Path) -> None:
    """Doing a step twice is harmless, and writes nothing the second time."""
    target = file_target(tmp_path)
    draft, _ = bring(target, desired())
    before = (tmp_path / "list").stat().st_ino
    target.apply(draft.steps[0])
    assert before == (tmp_path / "list").stat().st_ino


@pytest.mark.parametrize("meanwhile", [None, "by hand\n"])
def test_a_file_that_changed_meanwhile_is_a_conflict(tmp_path: Path, meanwhile: str | None) -> None:
    """What is not as the plan saw it is left alone."""
    target, file = file_target(tmp_path), tmp_path / "list"
    bring(target, desired("40.92.0.0/15"))
    draft = target.plan(desired(), target.observe())
    file.unlink() if meanwhile is None else file.write_text(meanwhile)
    with pytest.raises(TargetConflict, match="nothing was written"):
        target.apply(draft.steps[0])
    assert meanwhile == (file.read_text() if file.exists() else None)


def test_a_change_in_the_last_moment_is_a_conflict(tmp_path: Path) -> None:
    """The file is compared again right before it is replaced; no temporary file stays."""
    file = tmp_path / "list"

    def hook(point: str) -> None:
        if point == "synced":
            file.write_text("by hand\n")

    target = watched_target(tmp_path, hook)
    draft = target.plan(desired(), target.observe())
    with pytest.raises(TargetConflict):
        target.apply(draft.steps[0])
    assert {"list": "by hand\n"} == texts(tmp_path)


def test_a_write_comes_by_every_point(tmp_path: Path) -> None:
    """The points that the tests of crashes go by are all there, in order."""
    points: list[str] = []
    bring(watched_target(tmp_path, points.append), desired())
    assert atomic.POINTS == tuple(points)


@pytest.mark.parametrize("point", atomic.POINTS[:4])
@pytest.mark.parametrize(
    ("number", "error", "told"),
    [
        (errno.ENOSPC, TargetError, "no room left"),
        (errno.EDQUOT, TargetError, "no room left"),
        (errno.EROFS, TargetDenied, "read-only"),
        (errno.EACCES, TargetDenied, "right to write"),
        (errno.EIO, TargetError, os.strerror(errno.EIO)),
    ],
)
def test_an_error_on_the_way_leaves_the_old_file(
    tmp_path: Path, point: str, number: int, error: type[TargetError], told: str
) -> None:
    """Whatever the disk says while the new text is written, the old one stays, alone."""
    bring(file_target(tmp_path), desired("40.92.0.0/15"))
    before = texts(tmp_path)

    def hook(reached: str) -> None:
        if reached == point:
            raise OSError(number, os.strerror(number))

    target = watched_target(tmp_path, hook)
    draft = target.plan(desired(), target.observe())
    with pytest.raises(error, match=rf"{tmp_path}/list: cannot be written: .*{told}"):
        target.apply(draft.steps[0])
    assert before == texts(tmp_path)


def test_a_temporary_file_that_another_process_holds_is_a_conflict(tmp_path: Path) -> None:
    """Whoever loses a race for the temporary file says so, and changes nothing."""
    held: list[int] = []

    def hook(point: str) -> None:
        if point == "created":
            [temporary] = tmp_path.glob(".exosync-*.tmp")
            held.append(os.open(temporary, os.O_RDWR))
            fcntl.flock(held[0], fcntl.LOCK_EX)

    target = watched_target(tmp_path, hook)
    draft = target.plan(desired(), target.observe())
    with pytest.raises(TargetConflict, match="another process"):
        target.apply(draft.steps[0])
    os.close(held[0])
    assert {} == texts(tmp_path)


def test_a_folder_that_may_not_be_listed_is_good_enough(tmp_path: Path) -> None:
    """The right to write in a folder is all that is needed."""
    target = file_target(tmp_path)
    tmp_path.chmod(0o300)
    try:
        with bound_by_permissions():
            _, observed = bring(target, desired())
    finally:
        tmp_path.chmod(0o700)
    assert target.verify(desired(), observed).ok


# --- what a file keeps


@pytest.mark.parametrize(("setting", "mode"), [("0644", 0o644), ("0600", 0o600), ("0664", 0o664)])
def test_a_new_file_gets_the_permissions_asked_for(tmp_path: Path, setting: str, mode: int) -> None:
    """Whatever the umask is."""
    before = os.umask(0o077)
    try:
        bring(file_target(tmp_path, permissions=setting), desired())
    finally:
        os.umask(before)
    assert mode == stat.S_IMODE((tmp_path / "list").stat().st_mode)


def test_an_old_file_keeps_its_permissions(tmp_path: Path) -> None:
    """Replacing a file does not open it to others."""
    file = tmp_path / "list"
    file.touch()
    file.chmod(0o640)
    bring(file_target(tmp_path), desired())
    assert 0o640 == stat.S_IMODE(file.stat().st_mode)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_an_old_file_keeps_its_owner_and_group(tmp_path: Path) -> None:
    """The service that reads the file still may."""
    file = tmp_path / "list"
    file.touch()
    file.chmod(0o2750)
    os.chown(file, 65534, 12)
    file.chmod(0o2750)
    bring(file_target(tmp_path), desired())
    found = file.stat()
    assert (65534, 12, 0o2750) == (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_an_owner_that_cannot_be_kept_is_an_error(tmp_path: Path) -> None:
    """A file is not quietly taken from its owner."""
    file = tmp_path / "list"
    file.touch()
    os.chown(file, 65534, 65534)
    target = file_target(tmp_path)
    draft = target.plan(desired(), target.observe())
    with bound_by_permissions(), pytest.raises(TargetDenied, match="belongs to uid 65534"):
        target.apply(draft.steps[0])
    assert {"list": ""} == texts(tmp_path)


def test_an_old_file_keeps_its_extended_attributes(tmp_path: Path) -> None:
    """Labels and ACLs live in them."""
    file = tmp_path / "list"
    file.touch()
    try:
        os.setxattr(file, "user.exosync", b"kept")
    except OSError as error:
        pytest.skip(f"the file system knows no extended attributes: {error.strerror}")
    bring(file_target(tmp_path), desired())
    assert b"kept" == os.getxattr(file, "user.exosync")


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    """The real file is replaced, and the link stays a link."""
    (tmp_path / "real").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "links" / "list").symlink_to("../real/file")
    target = file_target(tmp_path / "links")
    for wanted in (desired("40.92.0.0/15"), desired()):
        _, observed = bring(target, wanted)
        assert target.verify(wanted, observed).ok
    assert (tmp_path / "links" / "list").is_symlink()
    assert desired().ranges == file_target(tmp_path, path="real/file").observe().owned
    assert ["file"] == [one.name for one in (tmp_path / "real").iterdir()]


# --- what is no file


@contextmanager
def standing_in(path: Path, what: str) -> Iterator[None]:
    """Something that is no regular file at a path."""
    with closing(socket.socket(socket.AF_UNIX)) as listener:
        match what:
            case "folder":
                path.mkdir()
            case "pipe":
                os.mkfifo(path)
            case "socket":
                listener.bind(os.fspath(path))
            case "device":
                path.symlink_to("/dev/null")
            case "circle":
                path.symlink_to(path)
        yield


@pytest.mark.parametrize(
    ("what", "told"),
    [
        ("folder", "it is a folder"),
        ("pipe", "no regular file"),
        ("socket", "no regular file"),
        ("device", "no regular file"),
        ("circle", "lead in a circle"),
    ],
)
def test_what_is_no_file_is_an_error(tmp_path: Path, what: str, told: str) -> None:
    """Only a regular file is read; nothing waits for a pipe."""
    with standing_in(tmp_path / "list", what):
        with pytest.raises(TargetError, match=told):
            file_target(tmp_path).observe()
        [check] = file_target(tmp_path).check()
        assert ("readable", False) == (check.name, check.ok)


@pytest.mark.parametrize("path", ["none/list", "file/list", "dangling", "x" * 300])
def test_a_path_that_leads_nowhere_is_an_error(tmp_path: Path, path: str) -> None:
    """A missing folder is told before anything is planned."""
    (tmp_path / "file").touch()
    (tmp_path / "dangling").symlink_to("none/list")
    with pytest.raises(TargetError, match=r"folder .*does not exist: create it|name is too long"):
        file_target(tmp_path, path=path).observe()


def test_a_file_that_is_no_list_is_not_read(tmp_path: Path) -> None:
    """Files over 16 MiB are refused, not loaded."""
    with (tmp_path / "list").open("wb") as file:
        file.truncate(atomic.MOST_BYTES + 1)
    with pytest.raises(TargetError, match="over 16 MiB"):
        file_target(tmp_path).observe()


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    """Missing permission is a TargetDenied that names the file."""
    (tmp_path / "list").touch(0o000)
    with bound_by_permissions(), pytest.raises(TargetDenied, match=f"{tmp_path}/list: cannot be"):
        file_target(tmp_path).observe()


def test_a_folder_that_may_not_be_written_is_told(tmp_path: Path) -> None:
    """The plan can be made and says what is in its way; applying fails and changes nothing."""
    target = file_target(tmp_path)
    tmp_path.chmod(0o500)
    try:
        with bound_by_permissions():
            observed = target.observe()
            draft = target.rehearse(desired(), observed, target.plan(desired(), observed))
            assert ["writable"] == [one.rule for one in draft.findings]
            assert 1 == len(draft.steps)
            assert ["writable"] == [one.name for one in failed(target)]
            with pytest.raises(TargetDenied, match="cannot be written"):
                target.apply(draft.steps[0])
    finally:
        tmp_path.chmod(0o700)
    assert {} == texts(tmp_path)


# --- templates


def test_a_template_writes_the_file(tmp_path: Path) -> None:
    """Own text works like any format, and a changed template is planned."""
    (tmp_path / "list.j2").write_text(TEMPLATE)
    target = file_target(tmp_path, format="template", template="list.j2")
    _, observed = bring(target, desired())
    assert target.verify(desired(), observed).ok
    assert f"{OURS}40.92.0.0/15\n" in (tmp_path / "list").read_text()
    (tmp_path / "list.j2").write_text(f"{TEMPLATE}# end\n")
    [step] = target.plan(desired(), target.observe()).steps
    assert step.after == f"{step.before}# end\n"


@pytest.mark.parametrize(
    "source",
    [
        "{{ ranges }}",
        "# {{ owner }} {{ target }}",
        f"# {{{{ mark }}}}\n# {Mark('other', 'x').sentence}\n",
    ],
)
def test_a_template_without_the_mark_is_refused(tmp_path: Path, source: str) -> None:
    """Its file would be foreign the moment it is written."""
    (tmp_path / "list.j2").write_text(source)
    target = file_target(tmp_path, format="template", template="list.j2")
    draft = target.plan(desired(), target.observe())
    assert ((), ["template_mark"]) == (draft.steps, [one.rule for one in draft.refusals])
    assert "{{ mark }}" in draft.refusals[0].message
    assert {"owner": True, "template": False, "writable": True, "space": True} == outcomes(target)


def test_a_template_that_hides_ranges_is_told(tmp_path: Path) -> None:
    """What the guards cannot see is a finding, and so is what stands there besides."""
    (tmp_path / "list.j2").write_text("# {{ mark }}\n127.0.0.1\n{{ ipv4 | join(' ') }}\n")
    target = file_target(tmp_path, format="template", template="list.j2")
    draft, observed = bring(target, desired())
    assert ["template_ranges"] * 2 == [one.rule for one in draft.findings]
    assert "2a01:111:f400::/48" in draft.findings[0].message
    assert "127.0.0.1/32" in draft.findings[1].message
    assert draft.goal == observed.owned
    assert target.verify(desired(), observed).ok
    assert () == target.plan(desired(), observed).steps
    changed = target.plan(desired("40.92.0.0/15", "2603:1000::/32"), observed)
    [step] = changed.steps
    assert Phase.REMOVE == step.phase
    assert 1 == step.after.count("127.0.0.1")


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"{{ mark }}\n{% endfor %}", "list.j2:2: the template is wrong"),
        (
            b"{{ mark }}\n{{ rangse }}",
            "list.j2:2: the template cannot be filled: 'rangse' is undef",
        ),
        (b"\xff", "not UTF-8"),
        (None, "cannot be read"),
    ],
)
def test_a_wrong_template_is_told(tmp_path: Path, source: bytes | None, told: str) -> None:
    """Planning and checking name the file, the line and the fault."""
    if source is not None:
        (tmp_path / "list.j2").write_bytes(source)
    target = file_target(tmp_path, format="template", template="list.j2")
    with pytest.raises(ConfigError, match=told):
        target.plan(desired(), target.observe())
    [check] = failed(target)
    assert told in check.message


# --- checking and explaining


def test_a_check_says_what_is_right(tmp_path: Path) -> None:
    """A new file, then our own file: all is well, and nothing was changed."""
    target = file_target(tmp_path)
    assert {"owner": True, "writable": True, "space": True} == outcomes(target)
    assert {} == texts(tmp_path)
    (tmp_path / "list").touch()
    assert f"{tmp_path}/list is empty" in [check.message for check in target.check()]
    bring(target, desired())
    assert {"owner": True, "writable": True, "space": True, "ownership": True} == outcomes(target)


def test_a_check_finds_a_foreign_file(tmp_path: Path) -> None:
    """A foreign file is told with the way out."""
    (tmp_path / "list").write_text("40.92.0.0/15\n")
    [check] = failed(file_target(tmp_path))
    assert ("owner", False) == (check.name, check.ok)
    assert "exosync adopt edge" in check.message


def test_a_check_warns_of_hard_links(tmp_path: Path) -> None:
    """Other names of the file would keep the old text."""
    bring(file_target(tmp_path), desired())
    (tmp_path / "other").hardlink_to(tmp_path / "list")
    [check] = failed(file_target(tmp_path))
    assert ("links", None) == (check.name, check.ok)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_check_finds_an_owner_that_cannot_be_kept() -> None:
    """An unprivileged user is told whose the file is."""
    with TemporaryDirectory() as folder:
        base = Path(folder)
        base.chmod(0o777)
        (base / "list").touch()
        target = file_target(base)
        os.seteuid(65534)
        try:
            checks = failed(target)
        finally:
            os.seteuid(0)
    assert ["ownership"] == [check.name for check in checks]
    assert f"{base}/list belongs to uid 0" in checks[0].message


def test_explaining_names_the_line(tmp_path: Path) -> None:
    """The line of an address comes with its note."""
    target = file_target(tmp_path, format="postfix")
    _, observed = bring(target, desired("40.92.0.0/15", leaving=["52.100.0.0/14"]))
    line = f"{tmp_path}/list, line 5: 52.100.0.0/14 OK (leaving on 2024-01-31)"
    assert Knowledge(knows=True, says=(line,)) == target.explain(
        IpRanges.parse("52.101.1.1"), observed
    )
    assert Knowledge(knows=False) == target.explain(IpRanges.parse("192.0.2.1"), observed)


def test_explaining_a_foreign_file_says_so(tmp_path: Path) -> None:
    """Who reads the file knows the address, whoever wrote it."""
    (tmp_path / "list").write_text("40.92.0.0/15\n")
    target = file_target(tmp_path)
    told = target.explain(IpRanges.parse("40.92.1.1"), target.observe())
    assert (
        Knowledge(
            knows=True,
            says=(
                f"{tmp_path}/list, line 1: 40.92.0.0/15",
                f"{tmp_path}/list is not this target's file: no mark of exosync",
            ),
        )
        == told
    )


def test_explaining_where_nothing_is(tmp_path: Path) -> None:
    """A file that does not exist knows nothing."""
    target = file_target(tmp_path)
    told = target.explain(IpRanges.parse("40.92.1.1"), target.observe())
    assert Knowledge(knows=False, says=(f"{tmp_path}/list does not exist",)) == told


def test_explaining_what_a_template_hides(tmp_path: Path) -> None:
    """Where no CIDR of a family can be read, nobody can tell."""
    (tmp_path / "list.j2").write_text("# {{ mark }}\n{{ ipv4 | join(' ') }}\n")
    target = file_target(tmp_path, format="template", template="list.j2")
    _, observed = bring(target, desired())
    assert target.explain(IpRanges.parse("2a01:111:f400::1"), observed).knows is None
    assert target.explain(IpRanges.parse("192.0.2.1"), observed).knows is False
    assert target.explain(IpRanges.parse("40.92.1.1"), observed).knows is True


def test_a_proof_names_what_is_wrong(tmp_path: Path) -> None:
    """A failed proof tells the ranges that are missing and those that are too many."""
    target = file_target(tmp_path)
    _, observed = bring(target, desired("40.92.0.0/15", "10.0.0.0/8"))
    checks = target.verify(desired("40.92.0.0/15", "11.0.0.0/8"), observed).checks
    assert [False, False] == [check.ok for check in checks]
    assert "lacks 11.0.0.0/8 and holds 10.0.0.0/8 besides" in checks[1].message


def test_a_long_difference_is_summed_up(tmp_path: Path) -> None:
    """A step's summary stays short."""
    target = file_target(tmp_path)
    [step] = target.plan(desired(*MAIL), target.observe()).steps
    assert step.summary.endswith("52.100.0.0/14, 104.47.0.0/17 and 2 more")


def test_a_step_from_the_outside_is_compared_too(tmp_path: Path) -> None:
    """A step that expects another file than there is does nothing."""
    target = file_target(tmp_path)
    observed: Observed = target.observe()
    step = Step(target.resource, Phase.ADD, Action.UPDATE, "", "", "x", "0" * 64, "1" * 64)
    with pytest.raises(TargetConflict):
        target.apply(step)
    assert observed.resources == target.observe().resources
