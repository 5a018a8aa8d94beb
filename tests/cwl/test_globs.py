"""POSIX patterns of pathnames."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.cwl.base import globs
from tests.cwl.memory import Memory

DISK = Memory(
    {"/out/a.txt": "", "/out/b1": "", "/out/[x]": "", "/out/.h": "", "/out/d/a.txt": ""},
    links={"/out/gone": "/nowhere"},
)


@pytest.mark.parametrize(
    ("pattern", "name", "does"),
    [
        ("*", "a.txt", True),
        ("*", ".hidden", False),
        (".*", ".hidden", True),
        ("?hidden", ".hidden", False),
        ("[.]hidden", ".hidden", False),
        ("\\.hidden", ".hidden", True),
        ("?", "é", True),
        ("[[:alpha:]]", "b", True),
        ("[[:alpha:]]", "1", False),
        ("[[:digit:][:upper:]_]*", "A1", True),
        ("[![:space:]]", " ", False),
        ("[[:nothing:]]", "n", False),
        ("[!a-c]", "d", True),
        ("[!a-c]", "b", False),
        ("[^a]", "b", True),
        ("[]]", "]", True),
        ("[!]]", "a", True),
        ("[a-]", "-", True),
        ("[[=a=][.-.]]", "-", True),
        ("[c-a]", "b", False),
        ("\\[x\\]", "[x]", True),
        ("[[]x]", "[x]", True),
        ("[x", "[x", True),
        ("a\\*", "a*", True),
        ("a\\*", "ab", False),
        ("{a,b}", "a", False),
        ("**", "ab", True),
        ("a\nb*", "a\nbc", True),
        ("a.b", "axb", False),
        ("a", "A", False),
        ("*a*b*", "xxaxxbxx", True),
        ("*a*b*", "xxbxxaxx", False),
        ("a*a", "a", False),
        ("*ab*ab", "abab", True),
        ("*ab*ab", "abxb", False),
        ("*a?[b]*c", "aaxbac", True),
        ("a**b*", "ab", True),
        ("*[c-a]*", "b", False),
        ("*a" * 50 + "b", "a" * 200, False),  # tried at every place, it would take years
    ],
)
def test_a_name_matches_or_does_not(pattern: str, name: str, does: bool) -> None:
    assert globs.matches(name, pattern) is does


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*/*.txt", ["d/a.txt"]),
        ("d/../a.txt", ["a.txt"]),
        ("./*.txt", ["a.txt"]),
        ("\\[x\\]", ["[x]"]),
        ("g*", ["gone"]),
        ("gone", ["gone"]),
        ("a.txt/*", []),
        ("none/a.txt", []),
    ],
)
def test_patterns_go_down_into_folders(pattern: str, found: list[str]) -> None:
    assert DISK.glob("/out", pattern) == [f"/out/{one}" for one in found]


@given(st.text("[]!^-\\:=.*?ab", max_size=12), st.text("[]!^-\\:=.ab", min_size=1, max_size=4))
def test_any_text_is_a_pattern(pattern: str, name: str) -> None:
    assert globs.matches(name, pattern) in (True, False)
