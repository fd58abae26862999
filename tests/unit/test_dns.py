"""The DNS client's values and error texts, and the test server's ports."""

from __future__ import annotations

import socket

import dns.message
import dns.name
import dns.rcode
import dns.rrset
import dns.tsig
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exosync.core.target import ABSENT
from exosync.errors import (
    ConfigError,
    TargetConflict,
    TargetDenied,
    TargetError,
    TargetUnreachable,
)
from exosync_adapters.dns.errors import Attempt, rcode_error, silence_error, verified
from exosync_adapters.dns.servers import routable
from exosync_adapters.dns.values import ALGORITHMS
from exosync_adapters.dns.zone import DnsProblem, Key, Server, Trouble, TxtRRset, txt_strings
from tests.support.bind import free_port

SECRET = "bm90IGEgc2VjcmV0IGF0IGFsbA=="
KEY = Key("exosync", "hmac-sha256", SECRET)
SERVER = Server("192.0.2.53", 53, "ns1.example.test")
VALUES = st.lists(
    st.lists(st.binary(max_size=20), min_size=1, max_size=3).map(tuple), min_size=1, max_size=4
)


class TestStrings:
    """Character-strings of a TXT record."""

    @given(st.text(max_size=1500))
    def test_joined_strings_are_the_text(self, text: str) -> None:
        """Nothing is lost, and no string but the last is shorter than it may be."""
        strings = txt_strings(text)
        assert text.encode("utf-8", "surrogateescape") == b"".join(strings)
        assert {255} >= {len(one) for one in strings[:-1]}
        assert len(strings[-1]) <= 255

    @given(st.binary(max_size=600))
    def test_any_octets_come_back_as_they_were(self, octets: bytes) -> None:
        """Through a text and back, whatever they are."""
        (text,) = TxtRRset("example.test", 300, ((octets[:255], octets[255:]),)).texts
        assert octets == b"".join(txt_strings(text))

    def test_an_empty_text_is_one_empty_string(self) -> None:
        """A TXT record has at least one string (RFC 1035, section 3.3.14)."""
        assert (b"",) == txt_strings("")

    def test_a_cut_may_fall_within_a_term(self) -> None:
        """Never at a blank that would then be lost."""
        text = "v=spf1 " + "ip4:192.0.2.0/24 " * 20 + "-all"
        first, second = txt_strings(text)
        assert (text.encode()[:255], text.encode()[255:]) == (first, second)


class TestRRset:
    """TXT RRsets as values."""

    @given(VALUES, st.integers(0, 2**31 - 1))
    def test_order_means_nothing(self, values: list[tuple[bytes, ...]], ttl: int) -> None:
        """Neither for comparing nor for the token (RFC 2181, section 5)."""
        one = TxtRRset("example.test", ttl, tuple(values))
        other = TxtRRset("Example.Test.", ttl, tuple(reversed(values)))
        assert one == other
        assert one.token == other.token

    def test_token_tells_values_cuts_and_ttl_apart(self) -> None:
        """The same text in other strings is another record; so is another TTL."""
        rrsets = [
            TxtRRset("n.test", 300, ((b"ab",),)),
            TxtRRset("n.test", 301, ((b"ab",),)),
            TxtRRset("n.test", 300, ((b"a", b"b"),)),
            TxtRRset("n.test", 300, ((b"a",), (b"b",))),
            TxtRRset("n.test", 300, ((b"ab",), (b"ab", b""))),
        ]
        assert len(rrsets) == len({one.token for one in rrsets})

    def test_absent_has_the_token_of_what_is_not_there(self) -> None:
        """With or without a wildcard that answers in its place."""
        absent = TxtRRset.absent("n.test")
        assert ABSENT == absent.token
        assert absent == TxtRRset.absent("n.test", wildcard=True)
        assert not absent.exists

    @pytest.mark.parametrize(("ttl", "values"), [(None, ((b"a",),)), (300, ())])
    def test_values_and_ttl_go_together(
        self, ttl: int | None, values: tuple[tuple[bytes, ...], ...]
    ) -> None:
        """Half an RRset is a mistake of the caller."""
        with pytest.raises(ValueError, match="or neither"):
            TxtRRset("n.test", ttl, values)


class TestKey:
    """TSIG keys from the configuration."""

    def test_the_secret_is_never_shown(self) -> None:
        """Neither in repr nor in str."""
        assert SECRET not in f"{KEY!r} {KEY}"

    def test_name_and_algorithm_are_those_of_dns(self) -> None:
        """Lower case without a dot at the end; blanks around the secret are of no account."""
        assert KEY == Key("Exosync.", "HMAC-SHA256.", f" {SECRET}\n")

    @pytest.mark.parametrize(
        "secret",
        ["", "   ", "not base64!", SECRET[:-3], "ä", f'key "k" {{ secret "{SECRET}"; }};'],
    )
    def test_a_secret_that_is_not_base64_is_refused_unseen(self, secret: str) -> None:
        """The error says what to give, and shows nothing of what was given."""
        with pytest.raises(ConfigError, match="key exosync: the secret is not base64") as caught:
            Key("exosync", "hmac-sha256", secret)
        assert not secret.strip() or secret not in str(caught.value)
        assert caught.value.__suppress_context__ or caught.value.__context__ is None

    @pytest.mark.parametrize("algorithm", ["", "md5", "hmac-md5", "sha256"])
    def test_an_unknown_algorithm_is_refused(self, algorithm: str) -> None:
        """The error lists those that are known."""
        with pytest.raises(ConfigError, match="hmac-sha256"):
            Key("exosync", algorithm, SECRET)

    @pytest.mark.parametrize("algorithm", ALGORITHMS)
    def test_every_known_algorithm_can_sign(self, algorithm: str) -> None:
        """The library knows it too."""
        assert dns.name.from_text(algorithm) in dns.tsig.HMACTSig._hashes

    @pytest.mark.parametrize("name", ["", "two words", "a..b", "x" * 64, ".".join(["abcd"] * 60)])
    def test_a_name_that_is_no_domain_name_is_refused(self, name: str) -> None:
        """Names of keys are domain names (RFC 8945, section 4.2)."""
        with pytest.raises(ConfigError, match="TSIG key"):
            Key(name, "hmac-sha256", SECRET)


class TestServer:
    """Servers as a person reads them."""

    @pytest.mark.parametrize(
        ("server", "text", "label"),
        [
            (Server("192.0.2.1"), "192.0.2.1:53", "192.0.2.1:53"),
            (Server("2001:db8::1", 5300), "[2001:db8::1]:5300", "[2001:db8::1]:5300"),
            (Server("ns1.test", 53, "ns1.test"), "ns1.test:53", "ns1.test:53"),
            (SERVER, "192.0.2.53:53", "ns1.example.test (192.0.2.53:53)"),
        ],
    )
    def test_text(self, server: Server, text: str, label: str) -> None:
        """Host and port, an IPv6 address in brackets, and the name if it has one."""
        assert (text, label) == (str(server), server.label)

    def test_the_name_makes_no_difference(self) -> None:
        """A server that is known by two names is one."""
        assert SERVER == Server("192.0.2.53", 53, "other.example.test")

    def test_a_family_without_any_route_is_left_out(self) -> None:
        """One server without a route stays, and so does a family that is all there is."""
        four, other, six = Server("192.0.2.1"), Server("192.0.2.2"), Server("2001:db8::1")
        assert [four, other] == routable([four, other, six], lambda one: one == four)
        assert [four, six] == routable([four, six], lambda _: False)


def attempt(key: Key | None = KEY) -> Attempt:
    """An attempt to change a record."""
    return Attempt(SERVER, "example.test", "_exo.example.test", key)


def signed_query() -> dns.message.QueryMessage:
    """A query with a signature, as it left."""
    query = dns.message.make_query("example.test", "SOA")
    query.use_tsig(dns.tsig.Key("exosync.", SECRET))
    query.to_wire()
    return query


class TestErrors:
    """The tree's error for what a server says."""

    @pytest.mark.parametrize("rcode", [one for one in dns.rcode.Rcode if one])
    @pytest.mark.parametrize("key", [KEY, None], ids=["key", "no key"])
    @pytest.mark.parametrize("signed", [True, False], ids=["signed", "unsigned"])
    def test_every_code_has_an_error(
        self, rcode: dns.rcode.Rcode, key: Key | None, *, signed: bool
    ) -> None:
        """It names the server, and nothing of the secret."""
        error = rcode_error(attempt(key), rcode, signed=signed)
        assert isinstance(error, TargetError)
        assert SERVER.label in str(error)
        assert SECRET not in str(error)
        assert "{" not in str(error).replace("update-policy {", "")

    def test_success_has_none(self) -> None:
        """NOERROR is no error."""
        assert rcode_error(attempt(), dns.rcode.NOERROR, signed=True) is None

    @pytest.mark.parametrize(
        ("rcode", "error"),
        [
            (dns.rcode.NXRRSET, TargetConflict),
            (dns.rcode.YXRRSET, TargetConflict),
            (dns.rcode.NXDOMAIN, TargetConflict),
            (dns.rcode.YXDOMAIN, TargetConflict),
            (dns.rcode.REFUSED, TargetDenied),
            (dns.rcode.NOTAUTH, TargetError),
            (dns.rcode.NOTZONE, TargetError),
            (dns.rcode.FORMERR, TargetError),
            (dns.rcode.SERVFAIL, TargetError),
            (dns.rcode.NOTIMP, TargetError),
            (dns.rcode.Rcode(15), TargetError),
        ],
    )
    def test_each_code_has_its_branch_of_the_tree(
        self, rcode: dns.rcode.Rcode, error: type[TargetError]
    ) -> None:
        """A changed record is a conflict, a missing right a denial."""
        assert error is type(rcode_error(attempt(), rcode, signed=True))

    def test_sentences_differ(self) -> None:
        """No two codes are told alike."""
        codes = [one for one in dns.rcode.Rcode if one]
        assert len(codes) == len({str(rcode_error(attempt(), one, signed=True)) for one in codes})

    @pytest.mark.parametrize("rcode", [dns.rcode.NOTAUTH, dns.rcode.REFUSED])
    def test_an_unsigned_refusal_may_be_about_the_key(self, rcode: dns.rcode.Rcode) -> None:
        """PowerDNS refuses a wrong key with nothing but REFUSED, Knot DNS a missing one so."""
        error = rcode_error(attempt(), rcode, signed=False)
        assert isinstance(error, TargetDenied)
        assert "does not accept the key exosync" in str(error)
        error = rcode_error(attempt(None), rcode, signed=False)
        assert isinstance(error, TargetDenied)
        assert "set dns.key" in str(error)

    @pytest.mark.parametrize(
        ("code", "words"),
        [
            (dns.rcode.BADSIG, "BADSIG"),
            (dns.rcode.BADKEY, "BADKEY"),
            (dns.rcode.BADTIME, "differ by"),
            (dns.rcode.BADTRUNC, "BADTRUNC"),
            (dns.rcode.BADALG, "did not accept the signature of the key exosync"),
        ],
    )
    def test_every_tsig_error_is_a_denial(self, code: dns.rcode.Rcode, words: str) -> None:
        """Each in words of its own, and without the secret (RFC 8945, section 5.3)."""
        query = signed_query()
        assert query.tsig is not None
        response = dns.message.make_response(query)
        response.set_rcode(dns.rcode.NOTAUTH)
        response.want_tsig_sign = False
        response.tsig = dns.rrset.from_rdata(
            query.tsig.name, 0, query.tsig[0].replace(mac=b"", error=code)
        )
        with pytest.raises(TargetDenied, match=words) as caught:
            verified(attempt(), response.to_wire(), query, now=0)
        assert SECRET not in str(caught.value)

    def test_an_answer_signed_with_another_key_is_no_answer(self) -> None:
        """Whoever signs with a key of another name may be anybody."""
        query = signed_query()
        response = dns.message.make_response(query)
        response.use_tsig(dns.tsig.Key("other.", SECRET))
        response.request_mac = query.mac or b""
        with pytest.raises(TargetError, match="signature of its answer"):
            verified(attempt(), response.to_wire(), query, now=0)

    def test_an_answer_to_another_request_is_no_answer(self) -> None:
        """Its number is not that of the question."""
        query, other = signed_query(), signed_query()
        response = dns.message.make_response(other)
        with pytest.raises(TargetError, match="belongs to another request"):
            verified(attempt(), response.to_wire(), query, now=0)

    @pytest.mark.parametrize(
        ("sent", "words"), [(True, "may or may not"), (False, "nothing was sent")]
    )
    def test_silence_tells_what_is_known(self, *, sent: bool, words: str) -> None:
        """After the request has left, nobody knows; before, nothing happened."""
        error = silence_error(attempt(), "no answer within 5 s", sent=sent)
        assert isinstance(error, TargetUnreachable)
        assert words in str(error)

    @pytest.mark.parametrize("trouble", list(Trouble))
    def test_a_problem_is_an_error_of_the_tree(self, trouble: Trouble) -> None:
        """Silence is unreachable, a refusal is a denial, the rest is an error."""
        expected = {Trouble.UNREACHABLE: TargetUnreachable, Trouble.REFUSED: TargetDenied}
        error = DnsProblem(SERVER, trouble, "it is so").error()
        assert (expected.get(trouble, TargetError), "it is so") == (type(error), str(error))


def test_free_port_is_free_for_tcp_and_udp() -> None:
    """The port for a test server can be bound at every address."""
    port = free_port("127.0.0.1", "127.0.0.2")
    for address in ("127.0.0.1", "127.0.0.2"):
        for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                probe.bind((address, port))
