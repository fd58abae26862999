"""Trees of records: read off the texts, and evaluated, both against pyspf."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from exosync.core.ranges import IpRanges
from exosync_adapters.dns.zone import LiveDns
from exosync_adapters.rfc7208.evaluate import Evaluator
from exosync_adapters.rfc7208.tree import authorised, expansion, gather, reached, undetermined
from tests.support.judge import from_texts, judge

NAMES = ("a.example", "b.example", "c.example", "d.example")
ADDRESSES = [f"192.0.2.{16 * part + 3}" for part in range(8)]


def _terms(later: tuple[str, ...]) -> st.SearchStrategy[str]:
    """One term; includes lead to later names only, so that there is no loop."""
    networks = st.integers(0, 7).map(lambda part: f"ip4:192.0.2.{16 * part}/28")
    includes = [f"include:{name}" for name in (*later, "none.example")]
    return st.tuples(
        st.sampled_from(["", "", "", "-", "~", "?"]), networks | st.sampled_from(includes)
    ).map("".join)


def _record(place: int) -> st.SearchStrategy[str]:
    later = NAMES[place + 1 :]
    ends = ["-all", "~all", "+all", "", *(f"redirect={name}" for name in later)]
    return st.tuples(st.lists(_terms(later), max_size=4), st.sampled_from(ends)).map(
        lambda made: " ".join(["v=spf1", *made[0], made[1]]).strip()
    )


TREES = st.tuples(*(_record(place) for place in range(len(NAMES)))).map(
    lambda texts: dict(zip(NAMES, texts, strict=True))
)


@given(TREES)
def test_what_is_read_off_the_texts_passes(tree: dict[str, str]) -> None:
    """An independent evaluator passes exactly these addresses, if it reaches no limit."""
    passing = authorised(tree, NAMES[0])

    for address in ADDRESSES:
        said = judge(address, NAMES[0], from_texts(tree))
        if "limit" not in said.reason and "DNS lookups" not in said.reason:
            assert (said.result == "pass") == (address in passing), said.reason


@settings(max_examples=30)
@given(TREES)
def test_evaluates_like_an_independent_evaluator(tree: dict[str, str]) -> None:
    """The same result and, unless it is an error, the same number of lookups."""
    overlay = {name: (text,) for name, text in tree.items()} | {"none.example": ()}
    ours = Evaluator(LiveDns(), overlay).evaluate(ADDRESSES, NAMES[0])

    for one in ours:
        said = judge(one.address, NAMES[0], from_texts(tree))
        # pyspf counts a redirect even where it is not followed, so it may see more lookups.
        if "redirect" not in str(tree) and said.result not in ("permerror", "none"):
            assert said.lookups == one.lookups
        if "Too many DNS lookups" not in said.reason or "redirect" not in str(tree):
            assert said.result == one.result, (said, one)


def test_tells_through_which_terms_an_address_passes() -> None:
    """From the domain inwards, redirects among them."""
    overlay = {
        "a.example": ("v=spf1 include:c.example include:b.example redirect=d.example",),
        "b.example": ("v=spf1 ip4:192.0.2.0/24 -all",),
        "c.example": ("v=spf1 -all",),
        "d.example": ("v=spf1 ~ip4:198.51.100.1 -all",),
    }
    evaluator = Evaluator(LiveDns(), overlay)
    inside, soft, outside = evaluator.evaluate(
        ["192.0.2.9", "198.51.100.1", "203.0.113.9"], "a.example"
    )

    assert "pass (include:b.example → ip4:192.0.2.0/24)" == inside.told
    assert "softfail (redirect=d.example → ~ip4:198.51.100.1)" == soft.told
    assert "fail (redirect=d.example → -all)" == outside.told


def test_counts_lookups_beyond_the_limit() -> None:
    """A person learns how many there are, not only that there are too many."""
    overlay: dict[str, tuple[str, ...]] = {
        f"n{i}.example": ("v=spf1 ?ip4:192.0.2.1",) for i in range(12)
    }
    overlay["a.example"] = (f"v=spf1 {' '.join(f'include:{name}' for name in overlay)} -all",)
    (said,) = Evaluator(LiveDns(), overlay).evaluate(["203.0.113.9"], "a.example")

    assert ("permerror", 12, "more than 10 lookups") == (said.result, said.lookups, said.problem)


def test_says_why_a_tree_cannot_be_evaluated() -> None:
    """The reason names the record that is missing."""
    overlay = {"a.example": ("v=spf1 include:b.example -all",), "b.example": ("no record",)}
    (said,) = Evaluator(LiveDns(), overlay).evaluate(["203.0.113.9"], "a.example")

    assert "permerror (include:b.example has no SPF record)" == said.told


def test_gathers_every_record_once() -> None:
    """Loops end, macros and broken records lead nowhere, two records are none."""
    texts = {
        "a.example": ("v=spf1 include:b.example include:%{d}.example redirect=c.example", "x"),
        "b.example": ("v=spf1 include:A.Example. include:two.example ?include:d.example",),
        "c.example": ("v=spf1 include:never.example foo",),
        "d.example": ("v=spf1 -all",),
        "two.example": ("v=spf1 a", "v=spf1 mx"),
    }
    asked: list[str] = []

    def fetch(name: str) -> tuple[str, ...] | None:
        asked.append(name)
        return texts.get(name)

    found = gather(("a.example",), fetch)

    assert ["a.example", "b.example", "c.example", "d.example"] == sorted(found)
    assert len(asked) == len(set(asked))
    assert {"a.example", "b.example", "c.example", "two.example"} == reached(found, "a.example")
    assert expansion(found, "a.example") is None
    assert IpRanges() == expansion(found, "d.example")


def test_a_tree_without_end_is_cut_off() -> None:
    """A hostile zone cannot keep a run busy."""
    found = gather(("0.example",), lambda name: (f"v=spf1 include:{int(name[:-8]) + 1}.example",))

    assert len(found) <= 41


def test_a_tree_that_doubles_at_every_level_is_cut_off() -> None:
    """Each record includes the next one twice: 2 to the power of 40 visits."""
    tree = {
        f"{i}.example": f"v=spf1 include:{i + 1}.example include:{i + 1}.example" for i in range(40)
    }
    tree["40.example"] = "v=spf1 -all"

    assert expansion(tree, "0.example") is None


def test_knows_which_trees_hold_more_than_texts_tell() -> None:
    """Hosts and macros, but not what only ip4, ip6 and plain includes say."""
    assert not undetermined({"a.example": "v=spf1 ip4:192.0.2.1 include:b.example -all a"})
    assert undetermined({"a.example": "v=spf1 include:%{i}.b.example -all"})
    assert undetermined({"a.example": "v=spf1 -all", "b.example": "v=spf1 mx"})
    assert undetermined({"a.example": "v=spf1 redirect=%{d}.example"})
