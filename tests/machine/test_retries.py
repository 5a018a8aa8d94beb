"""When a step that ended badly runs again."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.errors import InvalidInputs
from localproc.machine.retries import KINDS, OF_TOOLS, RetryRule, from_data, read_rules, rule_for
from localproc.model import Report, TaskState


def ended(code: int) -> Report:
    return Report("job:step:1", TaskState.ENDED, code)


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        (None, ()),
        (2, (RetryRule(attempts=3),)),
        ({"attempts": 2, "delay": 5}, (RetryRule(attempts=2, delay=5),)),
        ({"crop*": 1}, (RetryRule("crop*", 2),)),
        ({"*": 1, "crop": 0}, (RetryRule("crop", 1), RetryRule("*", 2))),
        ({"on": 75}, (RetryRule(attempts=2, on=("75",)),)),
        ({"on": ["NODE_LOST", "100-110"]}, (RetryRule(attempts=2, on=("node-lost", "100-110")),)),
        ([{"steps": "a", "attempts": 2}, {"attempts": 3}], (RetryRule("a", 2), RetryRule("*", 3))),
    ],
)
def test_rules_are_read_in_the_forms_that_people_write(written: Any, rules: Any) -> None:
    assert read_rules(written) == rules
    assert from_data([rule.to_data() for rule in rules]) == rules
    assert read_rules([rule.to_data() for rule in rules]) == rules


@pytest.mark.parametrize(
    "wrong",
    [
        "3",
        -1,
        True,
        1.5,
        {"attempts": 0},
        {"delay": -1},
        {"delay": float("nan")},
        {"delay": 10**400},
        {"backoff": float("inf")},
        {"on": "9" * 5000},
        {"backoff": "2"},
        {"on": ["sometimes"]},
        {"on": ["-9-"]},
        {"crop": {"tries": 3}},
        [3],
    ],
)
def test_what_is_no_rule_is_refused(wrong: Any) -> None:
    with pytest.raises(InvalidInputs) as refused:
        read_rules(wrong)
    assert refused.value.hint


def test_the_first_rule_that_fits_a_step_decides() -> None:
    rules = read_rules({"crop*": 1, "items/*": 2, "*": 3})
    assert rule_for(rules, "crop_it", "crop_it").attempts == 2
    assert rule_for(rules, "warp", "items/warp").attempts == 3
    assert rule_for(rules, "warp", "warp").attempts == 4
    assert rule_for((), "warp", "warp") == OF_TOOLS


def test_there_are_so_many_attempts_at_the_most() -> None:
    assert read_rules({"attempts": 1000})[0].attempts == 1000
    assert read_rules({"attempts": 1})[0].attempts == 1
    for attempts in (0, 1001):
        with pytest.raises(InvalidInputs, match=f"there cannot be {attempts} attempts"):
            read_rules({"attempts": attempts})


def test_waits_grow_and_end_somewhere() -> None:
    rule = RetryRule(attempts=9, delay=10, backoff=3)
    assert [rule.wait(n) for n in (1, 2, 3)] == [10, 30, 90]
    assert rule.wait(1000) == 24 * 3600


@pytest.mark.parametrize(
    ("on", "code", "covered"),
    [
        (("failed",), 1, True),
        (("failed",), 9, False),
        (("9",), 9, True),
        (("temporary",), 75, True),
        (("temporary",), 1, False),
        (("100-110",), 105, True),
        (("100-110",), 111, False),
        (("timed-out",), 1, False),
    ],
)
def test_exit_codes_count_as_the_rule_and_the_tool_say(
    on: tuple[str, ...], code: int, *, covered: bool
) -> None:
    assert RetryRule(on=on).covers(ended(code), temporary=[75], permanent=[9]) is covered


@given(
    st.sampled_from(sorted(TaskState)),
    st.sets(st.sampled_from(KINDS)),
    st.none() | st.integers(-15, 255),
)
def test_other_endings_count_by_their_names(
    state: TaskState, on: set[str], code: int | None
) -> None:
    covered = RetryRule(on=tuple(on)).covers(Report("k", state, code), (), ())
    if state is not TaskState.ENDED:
        assert covered is (state.value in on)
    elif code is None:
        assert not covered
