"""Paths in a home are kept relative to it; everything else stays as it is."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.store.home_paths import HomePaths

HERE, THERE = "/data/hömé", "/mnt/other home"
texts = st.text(
    st.sampled_from(["/", "\\", '"', "\x01", "\x02", "u", "0", "1", "n", "\n", "a", " ", "é", "%"])
) | st.sampled_from([HERE, f"{HERE}/jobs", f"x={HERE}/a", f"{HERE}2", "\\u0001", "\\\\u0002/x"])


@given(st.lists(st.lists(texts).map("".join)))
def test_what_is_kept_comes_back(values: list[str]) -> None:
    paths = HomePaths(HERE)
    written = json.dumps(values)
    kept = paths.shortened(written)
    json.loads(kept)
    assert paths.whole(kept) == written


@pytest.mark.parametrize(
    ("here", "there"),
    [
        (HERE, THERE),
        (f"{HERE}/jobs/1/work", f"{THERE}/jobs/1/work"),
        (f"--out={HERE}/x {HERE}/y", f"--out={THERE}/x {THERE}/y"),
        (f"cd '{HERE}/x'\n{HERE}/y", f"cd '{THERE}/x'\n{THERE}/y"),
        (f"/bin:{HERE}/bin", f"/bin:{THERE}/bin"),
        ("file:///data/h%C3%B6m%C3%A9/a%20b", "file:///mnt/other%20home/a%20b"),
    ],
)
def test_a_home_that_was_moved_finds_its_own(here: str, there: str) -> None:
    kept = HomePaths(HERE).shortened(json.dumps({"at": here}))
    assert HERE not in json.loads(kept)["at"]
    assert json.loads(HomePaths(THERE).whole(kept)) == {"at": there}


def test_a_path_may_have_the_home_once_more_in_it() -> None:
    kept = HomePaths(HERE).shortened(json.dumps(f"{HERE}{HERE}/x"))
    assert json.loads(HomePaths(THERE).whole(kept)) == f"{THERE}{HERE}/x"


@pytest.mark.parametrize(
    "text",
    [
        f"{HERE}2/x",
        f"{HERE}-old",
        f"{HERE}.bak/x",
        f"{HERE}é",
        f"/root{HERE}/x",
        "file:///data/h%C3%B6m%C3%A9%20old/x",
        "https://example.org/data/x",
    ],
)
def test_what_lies_elsewhere_stays_where_it_is(text: str) -> None:
    kept = HomePaths(HERE).shortened(json.dumps(text))
    assert json.loads(HomePaths(THERE).whole(kept)) == text
