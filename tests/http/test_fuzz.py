"""Generated requests: whatever is sent, the answer is one that the API definition declares."""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable

from localproc import Engine
from localproc.http import create_app
from tests.http.definition import operations_declared
from tests.http.service import execute

schemathesis: Any = pytest.importorskip("schemathesis")
checks: Any = pytest.importorskip("schemathesis.checks")
generation: Any = pytest.importorskip("schemathesis.generation")

#: How many requests of each kind an operation gets; those with a body are worth more.
PLAIN, BODIES = 60, 120
LABELS = [f"{method.upper()} {path}" for path, method in operations_declared() if path != "/api"]
#: What is made at random is no package, no time table, and the name of nothing that there is.
ALL_REFUSED = {
    "POST /schedules",
    "GET /schedules/{name}",
    "PUT /schedules/{name}",
    "DELETE /schedules/{name}",
    "POST /hooks/{name}",
    "POST /processes",
    "PUT /processes/{processId}",
    "DELETE /processes/{processId}",
    "DELETE /jobs/{jobId}",
    "GET /jobs/{jobId}/files/{path}",
    "GET /jobs/{jobId}/{step}.log",
}

POSITIVE, NEGATIVE = generation.GenerationMode.POSITIVE, generation.GenerationMode.NEGATIVE


def checks_for(operation: Any) -> list[Any]:
    """Give the checks of an operation: all that there are, but for some."""
    off = {
        # What is valid CWL, which job exists, or when an interval ends before it begins, is more
        # than our schemas can say: what they allow may still be refused.
        "positive_data_acceptance",
    }
    if not operation.body:
        # In a query everything is a text: most that breaks a schema reads as another good value
        # ("null" is a name), and a limit above the most is taken as the most, as the standard has
        # it. For bodies the check is on.
        off.add("negative_data_rejection")
    return [
        checks.CHECKS.get_one(name) for name in checks.CHECKS.get_all_names() if name not in off
    ]


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, str]]:
    """Give the API definition, and a job that is there."""
    logging.getLogger("localproc.http").setLevel(logging.CRITICAL)
    with Engine(tmp_path_factory.mktemp("home")) as engine, engine.client() as client:
        done = execute(client, {"string": "a", "array": ["b"]})
        job = done.links["monitor"]["url"].rpartition("/")[2]
        # A synchronous execution that was told to pause is not waited for.
        app = create_app(engine, sync_seconds=0.2)
        yield schemathesis.openapi.from_asgi("/default/ogc-api/api", app), job
        for open_job in engine.jobs(status=("accepted", "running"), limit=10_000):
            open_job.dismiss()


def ask(operation: Any, mode: Any, job: str, count: int) -> Counter[int]:
    """Send generated requests, half of them about what is there; give the states of the answers."""
    states: Counter[int] = Counter()
    wanted = checks_for(operation)
    there = {"jobId": job, "processId": "echo", "outputId": "array", "index": 0}
    # What is there must stay there.
    reuse = st.booleans() if operation.method.upper() != "DELETE" else st.just(value=False)

    @settings(
        max_examples=count,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode), known=reuse)
    def send(case: Any, known: bool) -> None:
        if known:
            case.path_parameters |= {
                name: value for name, value in there.items() if name in case.path_parameters
            }
        if known and mode is POSITIVE and operation.label == "POST /executions/v1":
            case.body["name"] = "echo"
        answer = case.call()
        states[answer.status_code] += 1
        case.validate_response(answer, checks=wanted)

    try:
        send()
    except Unsatisfiable:
        # Nothing that could be sent breaks a schema: a path is a text like any other, and a letter
        # may be anything.
        assert mode is NEGATIVE
        assert not operation.body or operation.label == "POST /hooks/{name}"
    return states


@pytest.mark.parametrize("mode", [POSITIVE, NEGATIVE], ids=lambda mode: str(mode.value))
@pytest.mark.parametrize("label", LABELS)
def test_every_answer_is_declared(service: tuple[Any, str], label: str, mode: Any) -> None:
    definition, job = service
    (operation,) = (one.ok() for one in definition.get_all_operations() if one.ok().label == label)
    states = ask(operation, mode, job, BODIES if operation.body else PLAIN)
    assert {state for state in states if state >= 500} == set()
    if mode is POSITIVE:
        assert states.total() >= PLAIN // 2
        assert (label in ALL_REFUSED) or any(state < 400 for state in states), states


def test_every_operation_is_asked(service: tuple[Any, str]) -> None:
    definition, _ = service
    assert sorted(one.ok().label for one in definition.get_all_operations()) == sorted(LABELS)
