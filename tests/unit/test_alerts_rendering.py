"""Templates: the built-in ones, a user's own, and what happens when one is broken."""

from __future__ import annotations

from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from exosync.alerts.composing import compose, trial
from exosync.alerts.mime import as_mail, sender_for
from exosync.alerts.rendering import MOST_CHARACTERS, NAMES, Pages, lines_of, page, subject
from exosync.secrets import REDACTOR
from tests.alerts.kit import AT, BODIES, KEY, SECRET, TASK, event, scene, task

Json = dict[str, Any]
ALERT: Json = compose([event("target_failed", title="edge failed: no answer")], scene())


def own(folder: Path, **templates: str) -> Pages:
    """A folder with templates in it; an underscore stands for the dot."""
    for name, text in templates.items():
        (folder / name.replace("_", ".")).write_text(text)
    return Pages(folder)


def test_a_template_of_the_users_replaces_the_built_in_one(tmp_path: Path) -> None:
    """The others stay as they are."""
    pages = own(tmp_path, mail_subject="ALARM {{ alert.title }}")
    assert ("ALARM edge failed: no answer", "") == pages.render("mail.subject", ALERT)
    assert Pages().render("mail.txt", ALERT) == pages.render("mail.txt", ALERT)


def test_a_template_can_build_on_the_built_in_one(tmp_path: Path) -> None:
    """Block by block."""
    text = '{% extends "exosync/mail.txt" %}{% block foot %}-- \nRing Ada: 1234\n{% endblock %}'
    made, fault = own(tmp_path, mail_txt=text).render("mail.txt", ALERT)
    assert "" == fault
    assert made.startswith("edge failed: no answer\n")
    assert made.endswith("Ring Ada: 1234\n")
    assert "exosync check" in made


def test_a_template_that_changes_is_read_anew(tmp_path: Path) -> None:
    """No restart is needed."""
    pages = own(tmp_path, mail_subject="one")
    assert "one" == pages.render("mail.subject", ALERT)[0]
    own(tmp_path, mail_subject="another")
    assert "another" == Pages(tmp_path).render("mail.subject", ALERT)[0]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{% if %}", "mail.txt:1: Expected an expression"),
        ("\n{{ alert.nothing }}", "mail.txt:2: 'dict object' has no attribute 'nothing'"),
        ("{{ 1 / 0 }}", "mail.txt:1: ZeroDivisionError: division by zero"),
        ('{% include "other" %}', "mail.txt:1: there is no template 'other'"),
        ('{% include "../secret" %}', "../secret"),
        ("{{ alert.__class__.__mro__ }}", "access to attribute '__class__'"),
        (f"{{{{ 'x' * {MOST_CHARACTERS + 1} }}}}", "more than 2 MiB"),
    ],
)
def test_a_broken_template_costs_no_message(tmp_path: Path, text: str, told: str) -> None:
    """The built-in one takes its place, and says why."""
    made, fault = own(tmp_path, mail_txt=text).render("mail.txt", ALERT)
    assert told in fault
    assert "A template of yours could not be used" in made
    assert "edge failed: no answer" in made


def test_a_broken_template_of_html_is_told_without_becoming_markup(tmp_path: Path) -> None:
    """An error may quote what stands in it."""
    made, fault = own(tmp_path, mail_html="{{ '<b>x' / 2 }}").render("mail.html", ALERT)
    assert "TypeError" in fault
    assert "A template of yours could not be used" in made
    assert "<b>x" not in made


@pytest.mark.parametrize("name", NAMES)
def test_a_fault_of_our_own_template_costs_no_message_either(name: str) -> None:
    """The least that it can be is its title and what happened."""
    # No message is like this; it stands for whatever a template does not expect.
    alert = {"title": "edge <failed>", "events": [{"text": "no answer"}]}
    made, _ = Pages().render(name, alert)
    assert "failed" in made
    assert ("no answer" in made) == (name != "mail.subject")
    assert "<failed>" not in made or not name.endswith("html")


def test_html_is_escaped_in_a_template_of_the_users_too(tmp_path: Path) -> None:
    """It need not think of it."""
    alert = compose([event("target_failed", title="edge <script>")], scene())
    made, _ = own(tmp_path, mail_html="<p>{{ alert.title }}</p>").render("mail.html", alert)
    assert "<p>edge &lt;script&gt;</p>" == made


def test_check_names_each_template_and_what_is_wrong_with_it(tmp_path: Path) -> None:
    """And a folder that is not there."""
    pages = own(tmp_path, mail_subject="{{ alert.title }}", mail_txt="{{ nothing }}")
    found = dict(pages.faults(trial(scene())))
    assert ["mail.subject", "mail.txt"] == list(found)
    assert "" == found["mail.subject"]
    assert "'nothing' is undefined" in found["mail.txt"]
    missing = dict(Pages(tmp_path / "nowhere").faults(trial(scene())))
    assert {str(tmp_path / "nowhere"): "there is no such folder"} == missing
    assert [] == list(Pages().faults(trial(scene())))


def test_what_a_template_makes_is_made_safe() -> None:
    """Whatever it did with the values."""
    REDACTOR.add(SECRET)
    assert "a b \\x1b[2J ***" == subject(f"a\nb \x1b[2J {SECRET}")
    assert 200 == len(subject("x" * 1000))
    assert "one\n\ntwo *** \\u202e\n" == page(f"\none\n\n \n\n\ntwo {SECRET} \u202e\n")


def test_a_long_text_to_paste_is_cut() -> None:
    """With the number of lines that are left."""
    assert ["1", "2", "[…] and 3 more lines"] == lines_of("1\n2\n3\n4\n5", 2)
    assert ["1", "2"] == lines_of("1\n2", 2)


def test_a_script_is_in_no_mail_in_part() -> None:
    """A part of it is of no use to anybody: the mail says how to get the whole."""
    script = "\n".join(f"line {number}" for number in range(61))
    asked = event("person_needed", body={**BODIES["person_needed"], "task": TASK})
    waits = task("edge", body={**TASK, "box": script})
    alert = compose([asked], scene("target:edge", tasks=[waits]))
    for name in ("mail.txt", "mail.html"):
        made, fault = Pages().render(name, alert)
        assert ("", False) == (fault, "line 1" in made)
        assert "61 lines" in made
        assert "exosync todo show edge inbound_gateway --copy" in made


def read(alert: Json, **options: Any) -> Any:
    """The mail of an alert, as a mail program reads it."""
    known = {"to": ["ops@example.com"], "sender": "exosync <exosync@example.com>"}
    made = as_mail(alert, options.pop("pages", Pages()), **{**known, **options})
    return message_from_bytes(made.as_bytes(), policy=policy.default)


def test_a_mail_has_a_text_and_an_html_part() -> None:
    """The text first, so that a program which shows HTML prefers that."""
    mail = read(ALERT)
    assert "multipart/alternative" == mail.get_content_type()
    assert ["text/plain", "text/html"] == [one.get_content_type() for one in mail.iter_parts()]
    assert "[exosync] edge failed: no answer" == mail["Subject"]
    assert "exosync <exosync@example.com>" == mail["From"]
    assert "ops@example.com" == mail["To"]


def test_no_robot_answers_a_mail() -> None:
    """RFC 3834, and Exchange's own header."""
    mail = read(ALERT)
    assert "auto-generated" == mail["Auto-Submitted"]
    assert "All" == mail["X-Auto-Response-Suppress"]
    assert mail["Precedence"] is None


def test_a_mail_is_the_same_at_every_try() -> None:
    """Its id and its date are those of the message."""
    first, second = read(ALERT), read(ALERT)
    assert f"<{KEY}@example.com>" == first["Message-ID"] == second["Message-ID"]
    assert AT == first["Date"].datetime == second["Date"].datetime


def test_mails_of_one_conversation_are_threaded() -> None:
    """They refer to the first one."""
    reply = read({**ALERT, "reply_to": "msg_0000000000000000000000000a"})
    assert "<msg_0000000000000000000000000a@example.com>" == reply["In-Reply-To"]
    assert reply["In-Reply-To"] == reply["References"]
    assert read(ALERT)["In-Reply-To"] is None


def test_a_mail_passes_servers_that_know_seven_bits_and_short_lines() -> None:
    """RFC 5321 section 4.5.3.1.6: 998 characters and CRLF."""
    one = event("target_failed", title="edge failed: ä→" + "x" * 3000)
    made = as_mail(
        compose([one], scene()), Pages(), to=["ops@example.com"], sender="exosync@example.com"
    ).as_bytes()
    assert made.isascii()
    assert max(len(line) for line in made.split(b"\r\n")) <= 998
    assert b"\n" not in made.replace(b"\r\n", b"")
    assert "ä→" in message_from_bytes(made, policy=policy.default)["Subject"]


def test_no_text_can_add_a_header() -> None:
    """Neither by the title, nor by a template of the user's, nor by the kind."""
    alert = {**ALERT, "title": "x\r\nBcc: evil@example.com\r\n\r\nbody"}
    mail = read(alert)
    assert mail["Bcc"] is None
    assert ["From", "To", "Subject", "Date", "Message-ID"] == list(mail.keys())[:5]


def test_the_owner_is_named_where_there_are_several() -> None:
    """A provider tells companies apart by it."""
    alert = compose([event("target_failed", title="edge failed")], scene(owner="acme"))
    assert "[exosync acme] edge failed" == read(alert)["Subject"]
    assert "exosync (acme), channel ops" in read(alert).get_body(("plain",)).get_content()


def test_the_sender_is_at_the_first_recipients_domain_if_none_is_given() -> None:
    """That domain's servers take it."""
    assert "exosync <exosync@example.com>" == sender_for(None, ["a@example.com", "b@other.test"])
    assert "x@y.test" == sender_for("x@y.test", ["a@example.com"])


def test_all_templates_are_there() -> None:
    """They are files of the package."""
    assert all(Pages().render(name, ALERT)[1] == "" for name in NAMES)
