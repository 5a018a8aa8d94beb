"""Large values are encoded a little at a time, and are the same then."""

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.store import pieces
from localproc.store.home_paths import HomePaths

HOME = "/data/hömé"
texts = st.text() | st.sampled_from(
    [
        "\ud83d",
        "\ud83d\ude00",
        "\x01",
        "\\u0001",
        HOME,
        f"{HOME}/jobs",
        f"file://{HOME}/a",
        f"x{HOME}/a",
    ]
)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | texts,
    lambda inner: st.lists(inner) | st.dictionaries(texts, inner) | st.lists(inner).map(tuple),
)


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what is large be small, so that it is found."""
    monkeypatch.setattr(pieces, "_PIECE", 16)
    monkeypatch.setattr(pieces, "_MEMBERS", 3)


@pytest.mark.usefixtures("small")
@given(values)
def test_pieces_are_the_text(value: Any) -> None:
    paths = HomePaths(HOME)
    assert "".join(pieces.pieces(value)) == pieces.compact(value)
    text = "".join(map(paths.shortened, pieces.pieces(value)))
    assert text == paths.shortened(pieces.compact(value))


@pytest.mark.parametrize(
    "value",
    [
        list(range(300_000)),
        {str(number): number for number in range(100_000)},
        [{"class": "File", "location": f"file:///data/{n}", "size": n} for n in range(20_000)],
        [["x" * 1000] * 10] * 200,
    ],
    ids=["numbers", "members", "files", "lists"],
)
def test_no_piece_is_long(value: Any) -> None:
    found = list(pieces.pieces(value))
    assert max(map(len, found)) <= 1 << 17
    assert len(found) > 20
    assert json.loads("".join(found)) == value


def test_a_long_text_is_looked_through_for_the_home() -> None:
    """Wherever the home is in it, also where one look ends and the next begins."""
    paths = HomePaths(HOME)
    for before in (0, (1 << 20) - 9, (1 << 20) - 1, 1 << 20, 3 << 20):
        text = json.dumps(" " * before + f"{HOME}/jobs")
        assert json.loads(paths.shortened(text)) == f"{' ' * before}\x01/jobs"
        assert paths.whole(paths.shortened(text)) == text
    assert paths.shortened(text := json.dumps(os.sep * (3 << 20))) == text
