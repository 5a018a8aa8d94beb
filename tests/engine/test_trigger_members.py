"""What schedules and subscriptions are made of: any document is taken, or refused with reasons."""

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from localproc.engine.triggers.schedule import Schedule
from localproc.engine.triggers.subscription import EVENTS, TARGETS, Subscription
from localproc.errors import InvalidInputs

DAILY = {"name": "daily", "process": "echo", "cron": "0 0 * * *"}
AFTER = {
    "name": "after",
    "when": {"event": "succeeded", "process": "echo"},
    "target": {"process": "echo"},
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=6,
)
MEMBERS = sorted({one.name for kind in (Schedule, Subscription) for one in fields(kind)})
OF_EVENTS = sorted({one.rstrip("?") for members in EVENTS.values() for one in members})


def kept(kind: type[Schedule] | type[Subscription], data: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a document as it is kept, or as it was if it is refused with reasons."""
    try:
        return kind.from_data(json.loads(json.dumps(data))).to_data()
    except InvalidInputs as error:
        return data if error.problems else {}


@given(st.sampled_from(MEMBERS), JSON)
def test_any_member_of_a_schedule(member: str, value: Any) -> None:
    data = {**DAILY, member: value}
    assert data.items() <= kept(Schedule, data).items()


@given(st.sampled_from(MEMBERS), JSON)
def test_any_member_of_a_subscription(member: str, value: Any) -> None:
    data = {**AFTER, member: value}
    assert data.items() <= kept(Subscription, data).items()


@given(st.sampled_from(sorted(EVENTS)), st.sampled_from(["event", *OF_EVENTS]), JSON)
def test_any_member_of_an_event(event: str, member: str, value: Any) -> None:
    needed = {one: "* * * * *" for one in EVENTS[event] if not one.endswith("?")}
    data = {**AFTER, "when": {"event": event, **needed, member: value}}
    assert data.items() <= kept(Subscription, data).items()


@given(st.sampled_from(TARGETS), JSON)
def test_any_target(target: str, value: Any) -> None:
    data = {**AFTER, "target": {target: value}}
    assert data.items() <= kept(Subscription, data).items()


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({"days_off": None}, "days_off: expected Sequence, got None"),
        ({"days_off": ["SUN", 1]}, "days_off[1]: expected str, got 1"),
        ({"timezone": ["UTC"]}, "timezone: expected str, got ['UTC']"),
        ({"retries": 1.5}, "retries: is no whole number"),
        ({"tolerance": float("nan")}, "tolerance: is no finite number"),
        ({"enabled": "no"}, "enabled: expected bool, got 'no'"),
        ({"process": ""}, "process: is empty"),
        ({"cron": "0 0 * * *\0"}, "cron: has a character that cannot be kept"),
    ],
)
def test_the_member_is_named(members: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidInputs, match="the schedule cannot be kept") as refused:
        Schedule.from_data({**DAILY, **members})
    assert said in str(refused.value)


@pytest.mark.parametrize(
    ("target", "is_one"),
    [
        ({"webhook": "https://example.com/hook"}, True),
        ({"webhook": "http://["}, False),
        ({"webhook": "ftp://example.com"}, False),
        ({"mail": "a@example.com"}, True),
        ({"mail": "a@b@c"}, False),
        ({"command": ["true", ""]}, True),
        ({"command": [""]}, False),
        ({"command": []}, False),
        ({"command": "true"}, False),
    ],
)
def test_targets(target: dict[str, Any], is_one: bool) -> None:
    if is_one:
        assert Subscription.from_data({**AFTER, "target": target}).target == target
    else:
        with pytest.raises(InvalidInputs, match=f"target.{next(iter(target))}: is no "):
            Subscription.from_data({**AFTER, "target": target})
