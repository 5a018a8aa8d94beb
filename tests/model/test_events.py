"""Every event comes back as it was written, also from what older versions wrote."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from localproc.errors import JobPutAside
from localproc.model import Event, InputPolicy, JobRequest, Kind, StepStatus, Trigger
from localproc.model import event as reading
from localproc.model.event import Member, members
from localproc.model.events import (
    CLASSES,
    STAGE_IN,
    Accepted,
    Started,
    StepFinished,
    StepSubmitted,
    Unreadable,
    read_event,
    request_of,
)

AT = datetime(2026, 1, 1, tzinfo=UTC)

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
objects = st.dictionaries(st.text(), plain, max_size=3)
moments = st.datetimes(timezones=st.sampled_from([UTC, timezone(timedelta(hours=-3))]))
policies = st.builds(
    InputPolicy,
    roots=st.none() | st.lists(st.text()).map(tuple),
    guarded=st.booleans(),
    most=st.none() | st.integers(),
)
requests = st.builds(
    JobRequest,
    inputs=objects,
    outputs=st.none() | objects,
    trigger=st.sampled_from(Trigger),
    tags=st.lists(st.text()).map(tuple),
    title=st.text(),
    reuse=st.none() | st.booleans(),
    policy=policies,
    subscriber=st.dictionaries(st.text(), st.text()),
    options=objects,
)
VALUES: Mapping[Any, st.SearchStrategy[Any]] = {
    reading.text: st.text(),
    reading.integer: st.integers(),
    reading.number: st.floats(allow_nan=False),
    reading.texts: st.lists(st.text()).map(tuple),
    reading.mapping: objects,
    reading.moment: moments,
    bool: st.booleans(),
    StepStatus: st.sampled_from(StepStatus),
    JobRequest.from_data: requests,
}


def value_of(member: Member) -> st.SearchStrategy[Any]:
    value = VALUES[member.read]
    return value if member.required else st.just(member.default) | value


def events_of(cls: type[Event]) -> st.SearchStrategy[Event]:
    return st.builds(
        cls,
        moments,
        progress=st.none() | st.integers(0, 100),
        message=st.none() | st.text(),
        **{member.name: value_of(member) for member in members(cls)},
    )


def read_again(event: Event, **more: Any) -> Event:
    data = json.loads(json.dumps(event.to_data())) | more
    return read_event(
        event.kind.value,
        data,
        event.at,
        version=event.version,
        progress=event.progress,
        message=event.message,
    )


def test_every_kind_has_a_class_and_every_member_a_meaning() -> None:
    assert set(CLASSES) == set(Kind)
    for kind, cls in CLASSES.items():
        assert cls.kind is kind
        assert cls.__doc__
        own = set(cls.__dataclass_fields__) - set(Event.__dataclass_fields__)
        assert [member.name for member in members(cls)] == [
            name for name in cls.__dataclass_fields__ if name in own
        ]
        assert all(member.meaning for member in members(cls))


@pytest.mark.parametrize("cls", CLASSES.values(), ids=lambda cls: cls.__name__)
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_an_event_comes_back_as_it_was(cls: type[Event], data: st.DataObject) -> None:
    event = data.draw(events_of(cls))
    assert read_again(event) == event
    assert read_again(event, **{"of a later version": [1]}) == event


@pytest.mark.parametrize("cls", CLASSES.values(), ids=lambda cls: cls.__name__)
@given(data=st.data())
def test_whatever_is_in_a_row_it_is_an_event(cls: type[Event], data: st.DataObject) -> None:
    names = [member.name for member in members(cls)]
    written = data.draw(st.dictionaries(st.sampled_from(names), plain) if names else objects)
    version = data.draw(st.integers(0, cls.version + 1))
    event = read_event(cls.kind.value, written, AT, version=version)
    assert isinstance(event, (cls, Unreadable))
    if version > cls.version:
        assert isinstance(event, Unreadable)


def test_what_cannot_be_read_says_why() -> None:
    def problem(kind: str, data: Any, version: int = 1) -> str:
        event = read_event(kind, data, AT, version=version)
        assert isinstance(event, Unreadable)
        return event.problem

    assert "'exploded'" in problem("exploded", {})
    assert "'started' has version 9, known is 1" in problem("started", {}, 9)
    assert "no 'name'" in problem("step-running", {})
    assert "'status' cannot be 'lazy'" in problem("step-finished", {"name": "a", "status": "lazy"})
    assert "no object" in problem("succeeded", [])
    later = {"inputs": {}, "quantum": True}
    assert "it asks for what is not known: quantum" in problem("accepted", later)


def test_an_acceptance_of_version_1_is_read() -> None:
    request = JobRequest({"n": 1}, tags=("a",), policy=InputPolicy(roots=("/data",)))
    event = read_event("accepted", json.loads(json.dumps(request.to_data())), AT)
    assert event == Accepted(AT, request=request)


def test_own_steps_of_version_1_are_told_from_those_of_a_package() -> None:
    data = {"name": "stage_in", "key": "stage_in", "attempt": 1, "log": "node_stage_in.log"}
    own = read_event("step-submitted", {**data, "command": []}, AT)
    theirs = read_event("step-submitted", {**data, "command": ["cp"], "tmpdir": "/tmp/1"}, AT)
    assert isinstance(own, StepSubmitted)
    assert isinstance(theirs, StepSubmitted)
    assert (own.key, theirs.key) == (STAGE_IN, "stage_in")


def test_what_is_as_always_takes_no_room() -> None:
    ended = StepFinished(AT, name="crop", status=StepStatus.SUCCESSFUL, exit_code=0)
    assert ended.to_data() == {"name": "crop", "status": "successful", "exit_code": 0}


def test_a_history_begins_with_what_was_asked_for() -> None:
    request = JobRequest({"n": 1})
    accepted = Accepted(AT, request=request)
    assert request_of("j", [accepted, Started(AT)]) is request
    with pytest.raises(JobPutAside, match="there are no events"):
        request_of("j", [])
    with pytest.raises(JobPutAside, match="begins with 'started'"):
        request_of("j", [Started(AT)])
    with pytest.raises(JobPutAside, match="torn"):
        request_of("j", [Unreadable(AT, problem="torn")])


def test_a_request_says_only_what_it_does_not_have_by_default() -> None:
    request = JobRequest({"n": 1}, tags=("a",), policy=InputPolicy(guarded=True))
    assert request.to_data().keys() == {"inputs", "tags", "policy"}
    request = replace(JobRequest({}), inputs={"n": 1})
    assert JobRequest.from_data({"inputs": {"n": 1}}) == request
    assert request.to_data() == {"inputs": {"n": 1}}
    assert replace(request, priority=2).to_data() == {"inputs": {"n": 1}, "priority": 2}
    with pytest.raises(ValueError, match="no inputs"):
        JobRequest.from_data({"title": "x"})
