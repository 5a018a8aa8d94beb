"""What was asked for, as the engine that has accepted it goes on with it."""

from localproc.model import JobRequest


def test_a_request_of_the_engines_own_making_is_taken_as_it_is() -> None:
    request = JobRequest({"word": "hello"}, tags=("a",))
    assert request.recorded() is request


def test_what_a_caller_changes_later_is_not_what_was_asked_for() -> None:
    outputs = {"said": {"transmissionMode": "value"}}
    request = JobRequest(
        {"word": "hello"}, outputs=outputs, options={"layout": "flat"}, tags=("a",)
    )
    recorded = request.recorded()
    assert recorded == request
    outputs.clear()
    assert recorded.outputs == {"said": {"transmissionMode": "value"}}
