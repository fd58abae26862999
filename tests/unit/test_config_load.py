"""A configuration from its file: defaults, validation, and messages that help."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field, ValidationError

from exosync.config import GuardsConfig, NamedRanges, find_config, load
from exosync.config.faults import faults
from exosync.config.problems import secret_texts
from exosync.core.guards import Limits
from exosync.core.ranges import IpRanges
from exosync.core.target import Mode
from exosync.core.units import Share
from exosync.errors import ConfigError
from tests.unit.config_kit import KINDS, Closed, Loader, ZoneSettings


@pytest.fixture
def loader(tmp_path: Path) -> Loader:
    """Loads a configuration that a test writes."""
    return Loader(tmp_path)


def problems(loader: Loader, text: str = "", **rest: str) -> list[str]:
    """The lines that say what is wrong, with `F` for the file."""
    with pytest.raises(ConfigError) as caught:
        loader(text, **rest)
    return [line.replace(str(loader.path), "F") for line in str(caught.value).splitlines()]


def test_everything_but_targets_has_a_default(loader: Loader) -> None:
    """The smallest configuration is one target."""
    config = loader.config()
    assert config.feed.instance == "Worldwide"
    assert config.feed.url == "https://endpoints.office.com"
    assert config.feed.connect_timeout == timedelta(seconds=10)
    assert config.feed.deadline == timedelta(minutes=2)
    assert config.feed.max_size == 8 * 1024**2
    assert config.state == "sqlite:///exosync.db"
    assert config.owner == "exosync"
    assert config.ranges.grace == timedelta(days=30)
    assert config.ranges.extra == config.ranges.exclude == ()
    assert config.schedule.feed == timedelta(hours=1)
    (target,) = config.targets
    assert (target.name, target.kind, target.mode, target.families) == (
        "edge",
        "list",
        Mode.PLAN,
        "both",
    )
    assert target.settings.path == Path("out.txt")
    assert target.kind_object.name == "list"


def test_the_guards_have_the_same_defaults_as_their_rules(loader: Loader) -> None:
    """Two places name them, and must not drift apart."""
    guards, limits = loader.config().guards, Limits()
    assert limits.min_ranges == guards.min_ranges
    assert limits.max_shrink == guards.max_shrink.fraction
    assert limits.max_growth == guards.max_growth.fraction
    assert limits.max_shrink_ranges == guards.max_shrink_ranges
    assert limits.max_growth_ranges == guards.max_growth_ranges
    assert limits.widest_ipv4 == guards.widest_ipv4
    assert limits.widest_ipv6 == guards.widest_ipv6
    assert limits.max_feed_age == guards.max_feed_age


def test_relative_paths_start_at_the_folder_of_the_file(
    loader: Loader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even where the file itself is given by a relative path."""
    loader()
    monkeypatch.chdir(tmp_path)
    loaded = load(Path("exosync.yaml"), environ={}, kinds=KINDS)
    assert (Path("exosync.yaml"), tmp_path) == (loaded.path, loaded.base)


def test_words_are_read_in_any_case(loader: Loader) -> None:
    """Microsoft itself writes worldwide and Worldwide."""
    config = loader.config("feed: {instance: usgovdod}\nlog: {level: WARNING, format: Json}\n")
    assert config.feed.instance == "USGovDoD"
    assert (config.log.level, config.log.format) == ("warning", "json")


def test_extra_ranges_carry_their_name_and_reason(loader: Loader) -> None:
    """One CIDR or several; addresses are held, not texts."""
    config = loader.config("""\
        ranges:
          extra:
            - {cidr: 40.95.0.0/16, name: relay pool, reason: forwarded mail}
            - {cidr: [192.0.2.0/25, 192.0.2.128/25], name: 2024, reason: "no"}
    """)
    first, second = config.ranges.extra
    assert (IpRanges.parse("40.95.0.0/16"), "relay pool") == (first.ranges, first.name)
    assert IpRanges.parse("192.0.2.0/24") == second.ranges
    assert ("2024", "no") == (second.name, second.reason)


def test_a_key_without_value_counts_as_not_given(loader: Loader) -> None:
    """So a section may be emptied by comments."""
    config = loader.config("feed:\nranges:\n  extra:\nguards: {max_shrink_ranges: ~}\nowner:\n")
    assert (config.owner, config.ranges.extra) == ("exosync", ())


def test_an_unknown_key_is_refused_with_the_nearest_known(loader: Loader) -> None:
    """At the top, in a section, in a list, and in a kind's own settings, however deep."""
    assert problems(
        loader,
        "fed: {}\nguards: {max_shrnk: 1%}\n",
        targets="""\
            targets:
              - {name: a, kind: list, path: x, mod: apply}
              - {name: b, kind: list, path: x, formatx: plain}
              - name: c
                kind: zone
                domain: example.com
                dns:
                  srver: ns1
                  key: {name: k, secret: {filex: /x}, algo: y}
            """,
    ) == [
        "F:1: fed: unknown key; did you mean 'feed'?",
        "F:2: guards.max_shrnk: unknown key; did you mean 'max_shrink'?",
        "F:4: targets[0].mod: unknown key; did you mean 'mode'?",
        "F:5: targets[1].formatx: unknown key; did you mean 'format'?",
        "F:10: targets[2].dns.srver: unknown key; did you mean 'server'?",
        "F:11: targets[2].dns.key.secret.filex: unknown key; did you mean 'file'?",
        "F:11: targets[2].dns.key.algo: unknown key; known here: name, secret",
    ]


def test_every_problem_is_told_at_once_in_order_of_lines(loader: Loader) -> None:
    """Each with file, line, key, what is wrong and what to do."""
    assert problems(
        loader,
        """\
        feed:
          instance: Worldwid
          url: http://example.com/
          attempts: many
          read_timeout: 30
        owner: Müller
        ranges:
          extra:
            - {cidr: 10.0.0.1/8, name: "", reason: x}
            - {cidr: 10.0.0.0/8, name: "a\\nb"}
            - 10.0.0.0/8
          exclude: 10.0.0.0/8
        guards: {min_ranges: 0, max_shrink: 120%, max_growth: 0.5}
        log: {level: loud}
        """,
    ) == [
        (
            "F:2: feed.instance: must be Worldwide, China, USGovDoD or USGovGCCHigh, not 'Worldwid'; "
            "did you mean 'Worldwide'?"
        ),
        (
            "F:3: feed.url: plain http: is accepted for loopback alone: use https:, "
            "not 'http://example.com/'"
        ),
        "F:4: feed.attempts: must be a whole number, not 'many'",
        "F:5: feed.read_timeout: a duration needs its unit: write 30d, 30h, 30m or 30s",
        "F:6: owner: must be 1 to 32 of a-z, 0-9 and -, not starting with -, not 'Müller'",
        (
            "F:9: ranges.extra[0].cidr: '10.0.0.1/8' is not an IP address or a CIDR: it has bits set "
            "behind the prefix; the network is 10.0.0.0/8"
        ),
        "F:9: ranges.extra[0].name: must not be empty",
        "F:10: ranges.extra[1].name: must be one line without control characters, not 'a\\nb'",
        "F:10: ranges.extra[1].reason: is required",
        "F:11: ranges.extra[2]: must be keys and values (key: value), not '10.0.0.0/8'",
        "F:12: ranges.exclude: must be a list (- item), not '10.0.0.0/8'",
        "F:13: guards.min_ranges: must be at least 1, not 0",
        "F:13: guards.max_shrink: must be at most 100%: nothing shrinks by more, not '120%'",
        (
            "F:13: guards.max_growth: a share is written in per cent, like 10% or 0.5%: "
            "write 50% for a part of 0.5"
        ),
        "F:14: log.level: must be debug, info, warning or error, not 'loud'",
    ]


@pytest.mark.parametrize(
    ("targets", "told"),
    [
        ("", "F: targets: needs at least 1 entry"),
        ("targets:\n", "F:1: targets: needs at least 1 entry"),
        ("targets: []\n", "F:1: targets: needs at least 1 entry"),
        ("targets: {name: a}\n", "F:1: targets: must be a list (- item)"),
        ("targets: 5\n", "F:1: targets: must be a list (- item), not 5"),
        ("targets: true\n", "F:1: targets: must be a list (- item)"),
        ("targets: [{name: a, kind: 5}]\n", "there is no kind '5'"),
        ("targets: [{name: a, kind: true}]\n", "there is no kind 'True'"),
        ("targets: [{name: a, kind: null}]\n", "targets[0].kind"),
        ("targets: [{name: a, kind: [b]}]\n", "targets[0].kind"),
        ("targets: [{name: a, kind: 2026-11-26}]\n", "there is no kind '2026-11-26'"),
        ("targets: [a]\n", "F:1: targets[0]: a target must be keys and values"),
        ("targets: [{kind: list, path: x}]\n", "F:1: targets[0].name: is required"),
        ("targets: [{name: a}]\n", "F:1: targets[0].kind: is required"),
        ("targets: [{name: a, kind: list}]\n", "F:1: targets[0].path: is required"),
        ("targets: [{name: a, kind: lst}]\n", "there is no kind 'lst'; did you mean 'list'?"),
        ("targets: [{name: a, kind: ftp}]\n", "no kind 'ftp'; installed are: list, zone"),
        ("targets: [{name: a b, kind: list, path: x}]\n", "targets[0].name: must be 1 to 63"),
        ("targets: [{name: a, kind: list, path: x, mode: applyx}]\n", "did you mean 'apply'?"),
        ("targets: [{name: a, kind: list, path: x, families: v4}]\n", "both, ipv4 or ipv6"),
        (
            f"targets: [{{name: a, kind: zone, domain: {'x' * 254}}}]\n",
            "targets[0].domain: must have at most 253 characters",
        ),
        ("targets: [{name: a, kind: list, <<: {path: x}}]\n", "merge keys are not read"),
        ("targets: [{name: a, kind: [list], path: x}]\n", "targets[0].kind: must be text"),
    ],
)
def test_a_bad_target_is_refused(loader: Loader, targets: str, told: str) -> None:
    """Whatever is wrong with one, its place is told."""
    assert any(told in line for line in problems(loader, targets=targets))


def test_two_targets_of_one_name_are_refused(loader: Loader) -> None:
    """At the second; a number is the same name as its text."""
    assert problems(
        loader,
        targets="""\
            targets:
              - {name: 7, kind: list, path: x}
              - {name: "7", kind: list, path: y}
            """,
    ) == ["F:3: targets[1].name: there is another target of this name: targets[0]"]


def test_a_check_over_several_keys_goes_to_the_key_that_it_names(loader: Loader) -> None:
    """A kind's message that begins with one of its keys is told at that key's line."""
    assert problems(
        loader,
        targets="""\
            targets:
              - name: a
                kind: list
                path: x
                value: OK
            """,
    ) == ["F:5: targets[0].value: is for format postfix: remove it"]


def test_numbers_are_read_from_text_where_a_kind_wants_them(loader: Loader) -> None:
    """A port in quotes, or with zeros in front, is that number and never octal."""
    targets = "targets: [{name: z, kind: zone, domain: example.com, dns: {port: 053}}]\n"
    settings = loader.config(targets=targets).targets[0].settings
    assert isinstance(settings, ZoneSettings)
    assert settings.dns.port == 53


SECRET_TARGET = """\
    targets:
      - name: z
        kind: zone
        domain: example.com
        dns: {{key: {{name: k, secret: {secret}}}}}
        login: {login}
    """


@pytest.mark.parametrize(
    ("secret", "login"),
    [
        ("hunter2hunter2", "~"),
        ("[hunter2hunter2]", "~"),
        ("{value: hunter2hunter2}", "~"),
        ("{file: a, env: B, value: hunter2hunter2}", "~"),
        ("{file: a}", "{user: u, password: hunter2hunter2}"),
        ("{file: a}", "{token: hunter2hunter2}"),
        ("{file: a}", "{user: u, passwordx: hunter2hunter2}"),
        ("{file: a}", "hunter2hunter2"),
    ],
)
def test_a_secret_in_plain_text_is_refused_and_never_shown(
    loader: Loader, secret: str, login: str
) -> None:
    """The line is told and what to write instead, not what stands there."""
    lines = problems(loader, targets=SECRET_TARGET.format(secret=secret, login=login))
    assert lines
    assert "hunter2" not in "\n".join(lines)
    assert all(line.startswith(("F:5: targets[0].dns", "F:6: targets[0].login")) for line in lines)


def test_the_remedy_for_a_plain_secret_is_told(loader: Loader) -> None:
    """Both ways to refer to one are named."""
    lines = problems(loader, targets=SECRET_TARGET.format(secret="hunter2hunter2", login="~"))
    assert lines == [
        (
            "F:5: targets[0].dns.key.secret: a secret is not written into the configuration: "
            "use {file: PATH} or {env: NAME}"
        )
    ]


def test_branches_of_a_union_are_not_taken_for_keys(loader: Loader) -> None:
    """What is wrong for every branch is told at the keys that the file has."""
    lines = problems(loader, targets=SECRET_TARGET.format(secret="{file: a}", login="{user: u}"))
    assert lines == [
        "F:6: targets[0].login.password: is required",
        "F:6: targets[0].login.token: is required",
        "F:6: targets[0].login.user: does not belong with the other keys here",
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("feed: {proxy: 'http://u:hunter2@proxy:1'}\n", "F:1: feed.proxy: a password is not"),
        ("state: postgresql://u:hunter2@h/db\n", "F:1: state: a password is not written"),
        ("feed: {url: 'https://u:hunter2@h/'}\n", "F:1: feed.url: an address holds no user name"),
        ("feed: {url: 'http://u:hunter2@h /'}\n", "F:1: feed.url: an address holds no blanks"),
    ],
)
def test_a_password_in_an_address_is_refused_and_never_shown(
    loader: Loader, text: str, told: str
) -> None:
    """It belongs into a variable or a secret file, where it may stand."""
    lines = problems(loader, text)
    assert any(told in line for line in lines)
    assert "hunter2" not in "\n".join(lines)


@pytest.mark.parametrize("state", ["exosync.db", "/var/lib/exosync.db", "sqlite://", "sqlite:///"])
def test_a_state_that_is_no_address_of_a_database_is_refused(loader: Loader, state: str) -> None:
    """A path alone is a usual mistake, and memory forgets."""
    assert "write sqlite:///FILE" in (line := problems(loader, f"state: {state}\n")[0]) or (
        "written as sqlite:///FILE" in line
    )


@pytest.mark.parametrize(
    "url",
    [
        "https://endpoints.office.com",
        "https://ENDPOINTS.office.com./",
        "https://endpoints.office365.us",
        "https://endpoints.partner.outlook.cn/x",
        "https://download.microsoft.com",
    ],
)
def test_microsoft_is_never_asked_more_than_hourly(loader: Loader, url: str) -> None:
    """They ask for that; the rule holds for whatever is theirs."""
    text = f"feed: {{url: '{url}'}}\nschedule: {{feed: 59m}}\n"
    assert problems(loader, text) == [
        "F:2: schedule.feed: Microsoft asks to be asked at most once an hour: write 1h or more"
    ]


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "https://mirror.example.com/office.com"])
def test_a_mirror_may_be_asked_more_often(loader: Loader, url: str) -> None:
    """Its owner knows what it bears."""
    config = loader.config(f"feed: {{url: '{url}'}}\nschedule: {{feed: 0}}\n")
    assert config.schedule.feed == timedelta(0)


def test_a_feed_that_would_always_be_too_old_is_refused(loader: Loader) -> None:
    """The age limit must be longer than the time between two questions."""
    lines = problems(loader, "schedule: {feed: 2d}\nguards: {max_feed_age: 1d}\n")
    assert lines == [
        (
            "F:2: guards.max_feed_age: must be longer than schedule.feed (2d), "
            "or every plan would be refused"
        )
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ranges: {grace: [1d]}", "a duration is written as text, like 30d"),
        ("ranges: {grace: true}", "a duration is written as text, like 30d"),
        ("guards: {max_shrink: {}}", "a share is written as text, like 10%"),
        ("feed: {max_size: []}", "a size is written as text, like 8MiB"),
        ("feed: {max_size: 8000000}", "a size needs its unit"),
        ("feed: {offline: perhaps}", "must be true or false, not 'perhaps'"),
        ("feed: {attempts: 11}", "must be at most 10, not 11"),
        ("feed: {attempts: 1.5}", "must be a whole number, not '1.5'"),
        ("owner: [a]", "must be text; put it in quotes"),
        ("feed: x", "must be keys and values (key: value), not 'x'"),
        ("ranges: {extra: [{cidr: [], name: a, reason: b}]}", "holds 0 CIDRs; 1 to 10,000"),
        ("ranges: {extra: [{cidr: [5], name: a, reason: b}]}", "must be a CIDR like 40.95.0.0/16"),
        ("ranges: {extra: [{cidr: {}, name: a, reason: b}]}", "must be a CIDR like 40.95.0.0/16"),
    ],
)
def test_a_value_of_the_wrong_type_is_refused(loader: Loader, text: str, told: str) -> None:
    """What is wanted is told by an example."""
    (line,) = problems(loader, text + "\n")
    assert told in line


def test_a_section_can_be_made_of_values_too() -> None:
    """As code does that needs no file."""
    made = GuardsConfig(max_feed_age=timedelta(days=1), max_growth=Share.parse("5%"))
    assert (timedelta(days=1), "5%") == (made.max_feed_age, str(made.max_growth))
    entry = NamedRanges(cidr=IpRanges.parse("10.0.0.0/8"), name="a", reason="b")
    assert IpRanges.parse("10.0.0.0/8") == entry.ranges


def test_a_key_that_would_break_a_line_is_escaped(loader: Loader) -> None:
    """A message stays one line whatever the file holds."""
    lines = problems(loader, '"a\\nF:9: b": 1\n')
    assert len(lines) == 1
    assert lines[0].startswith("F:1: 'a\\nF:9: b': unknown key")


def test_a_value_is_changed_by_nobody(loader: Loader) -> None:
    """A configuration in force stays what was validated."""
    config = loader.config()
    with pytest.raises(ValueError, match="frozen"):
        config.owner = "else"


def test_the_option_comes_before_the_variable_and_both_before_the_usual_places(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`--config`, EXOSYNC_CONFIG, then ./exosync.yaml."""
    monkeypatch.chdir(tmp_path)
    for name in ("exosync.yaml", "by-option.yaml", "by-variable.yaml"):
        (tmp_path / name).touch()
    environ = {"EXOSYNC_CONFIG": "by-variable.yaml"}
    assert find_config(Path("by-option.yaml"), environ) == Path("by-option.yaml")
    assert find_config(None, environ) == Path("by-variable.yaml")
    assert find_config(None, {"EXOSYNC_CONFIG": ""}) == Path("exosync.yaml")


def test_without_a_file_it_is_told_where_was_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And which command writes one."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError) as caught:
        find_config(None, {})
    assert str(caught.value) == (
        "no configuration found (looked at --config, EXOSYNC_CONFIG, ./exosync.yaml, "
        "/etc/exosync/exosync.yaml): write one with exosync init"
    )


def test_a_named_file_must_exist(tmp_path: Path) -> None:
    """No other is taken in its place."""
    with pytest.raises(ConfigError, match=r"none\.yaml: no such file \(EXOSYNC_CONFIG\)"):
        find_config(None, {"EXOSYNC_CONFIG": str(tmp_path / "none.yaml")})
    with pytest.raises(ConfigError, match=r"is a folder \(--config\)"):
        find_config(tmp_path, {})


def test_a_day_that_never_comes_is_no_schedule(loader: Loader) -> None:
    """The target would be run at the start, and never again; once in four years is a schedule."""
    told = "F:1: schedule.targets: there is no such day in any year, not '0 0 30 2 *'"
    assert [told] == problems(loader, "schedule: {targets: '0 0 30 2 *'}\n")
    leap = loader.config("schedule: {targets: '0 0 29 2 *'}\n").schedule.targets
    assert "0 0 29 2 *" == str(leap)


class Listed(Closed):
    """Keys that hold lists of a certain length."""

    words: tuple[Annotated[str, Field(min_length=1, max_length=3)], ...] = Field(
        min_length=1, max_length=2
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ([], {("words",): "needs at least 1 entry"}),
        ([""], {("words", 0): "must not be empty"}),
        (["abcd"], {("words", 0): "must have at most 3 characters"}),
        (["a", "b", "c"], {("words",): "may have 2 entries at most, and has 3"}),
    ],
)
def test_a_list_has_one_fault_and_in_plain_words(
    words: list[str], told: dict[tuple[str | int, ...], str]
) -> None:
    """What is wrong with an entry makes no list too short."""
    values = {"words": words}
    with pytest.raises(ValidationError) as caught:
        Listed.model_validate(values)
    assert told == dict(faults(caught.value, Listed, values, echo=False))


def test_the_kind_of_credentials_is_no_secret(loader: Loader) -> None:
    """So that a message can name it."""
    text = "targets: [{name: a, kind: zone, domain: x, credentials: {kind: password, x: hush}}]\n"
    hidden = secret_texts({"credentials": {"kind": "password", "x": "hush"}})

    assert {"hush"} == hidden
    assert not any("hush" in line for line in problems(loader, targets=text))
