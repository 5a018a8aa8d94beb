"""The conformance classes that are declared are exactly those that are proven."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from localproc import Engine
from localproc.engine.container_runtimes import Containers
from tests.http import (
    test_deploy,
    test_jobs,
    test_pages,
    test_part1,
    test_part2,
    test_schemas,
)
from tests.http.test_part1 import CONF as PART_1
from tests.http.test_part2 import CONF as PART_2

#: The tests that prove each class. (The official suites have none for the last three of Part 1.)
PROOF: dict[str, list[Callable[..., Any]]] = {
    PART_1 + "core": [
        test_part1.test_http,
        test_part1.test_landing_page_retrieval,
        test_part1.test_landing_page_validation,
        test_part1.test_validate_conformance_operation_and_response,
        test_part1.test_pl_limit_definition,
        test_part1.test_pl_limit_response,
        test_part1.test_pl_links,
        test_part1.test_process_list,
        test_part1.test_process_list_success,
        test_part1.test_process_exception_no_such_process,
        test_part1.test_process,
        test_part1.test_process_success,
        test_part1.test_the_request_of_most_of_its_tests,
        test_part1.test_the_same_asynchronously,
        test_part1.test_the_requests_that_must_fail,
        test_part1.test_job_creation_auto_execution_mode,
        test_part1.test_job_creation_default_execution_mode,
        test_part1.test_job_creation_default_outputs,
        test_part1.test_job_creation_input_array,
        test_part1.test_job_creation_input_inline,
        test_part1.test_job_creation_input_inline_bbox,
        test_part1.test_job_creation_inline_binary,
        test_part1.test_job_creation_inline_mixed,
        test_part1.test_job_creation_inline_object,
        test_part1.test_job_creation_input_ref,
        test_part1.test_job_creation_input_validation,
        test_part1.test_job_creation_inputs,
        test_part1.test_job_creation_op,
        test_part1.test_job_creation_request,
        test_part1.test_job_creation_success_async,
        test_part1.test_a_sync_value,
        test_part1.test_job_creation_sync_raw_value_multi,
        test_part1.test_job_creation_sync_raw_ref,
        test_part1.test_job_creation_sync_raw_mixed_multi,
        test_part1.test_job_exception_no_such_job,
        test_part1.test_job_op,
        test_part1.test_job_success,
        test_part1.test_job_results_no_such_job,
        test_part1.test_job_results_exception_results_not_ready,
        test_part1.test_job_results,
        test_part1.test_job_results_async_document,
        test_part1.test_job_results_async_raw_value_one,
        test_part1.test_job_results_async_raw_value_multi,
        test_part1.test_job_results_async_raw_ref,
        test_part1.test_job_results_async_raw_mixed_multi,
        test_part1.test_job_results_sync,
        test_jobs.test_a_failed_job_says_why,
    ],
    PART_1 + "ogc-process-description": [
        test_part1.test_description_json,
        test_part1.test_ports_def,
        test_part1.test_ports_mixed_type,
        test_part1.test_input_binary,
    ],
    PART_1 + "json": [
        test_schemas.test_landing_page,
        test_schemas.test_conformance,
        test_schemas.test_processes,
        test_schemas.test_status_of_jobs_in_every_state,
        test_schemas.test_job_list,
        test_schemas.test_results,
        test_schemas.test_problems,
    ],
    PART_1 + "html": [
        test_pages.test_every_resource_has_a_page,
        test_pages.test_problems_have_a_page,
        test_pages.test_what_is_linked_is_there,
    ],
    PART_1 + "oas30": [
        test_part1.test_the_definition_is_openapi_3_0,
        test_part1.test_the_operations_are_found_by_their_ids,
    ],
    PART_1 + "job-list": [
        test_part1.test_job_list,
        test_part1.test_job_list_success,
        test_jobs.test_filters,
        test_jobs.test_filter_by_time,
        test_jobs.test_filters_that_cannot_be_read,
        test_jobs.test_pages_lead_through_the_list_and_back,
    ],
    PART_1 + "callback": [
        test_jobs.test_success_is_told_with_the_results,
        test_jobs.test_failure_is_told_with_the_status,
    ],
    PART_1 + "dismiss": [
        test_jobs.test_dismissing_stops_the_work,
        test_jobs.test_dismissed_as_in_the_seeds,
        test_jobs.test_dismissed_as_in_the_draft_of_2_0,
    ],
    PART_2 + "deploy-replace-undeploy": [
        test_part2.test_http,
        test_part2.test_validate_conformance_operation_and_response,
        test_part2.test_processes_immutable,
        test_part2.test_unsupported_content_type,
        test_part2.test_undeploy_response,
        test_part2.test_undeploy_response_immutable,
        test_deploy.test_the_package_comes_back_byte_for_byte,
        test_deploy.test_twice,
        test_deploy.test_what_is_immutable_stays,
    ],
    PART_2 + "ogcapppkg": [
        test_part2.test_ogcapppkg_deploy_and_replace,
        test_deploy.test_a_package_by_value,
        test_deploy.test_a_package_by_reference,
        test_deploy.test_what_the_author_says_comes_first,
    ],
    PART_2 + "cwl": [
        test_part2.test_cwl_deploy_and_replace,
        test_deploy.test_cwl_in_yaml,
        test_deploy.test_cwl_in_json,
        test_deploy.test_w_picks_the_workflow,
        test_deploy.test_a_workflow_that_is_not_there,
    ],
}


@pytest.fixture
def no_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a machine without container runtimes."""
    monkeypatch.setattr(Containers, "here", lambda _: [])


@pytest.mark.usefixtures("no_runtimes")
def test_what_is_declared_is_proven(client: httpx.Client) -> None:
    assert set(client.get("conformance").json()["conformsTo"]) == set(PROOF)
    assert all(PROOF.values())


@pytest.mark.usefixtures("no_runtimes")
def test_docker_is_declared_where_an_executor_has_containers(
    engine: Engine, client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A deployment of an image is possible anywhere; the class means that it can be executed."""
    assert PART_2 + "docker" not in client.get("conformance").json()["conformsTo"]
    executor = engine.plugins.executor("local")
    able = replace(executor.capabilities, containers=True)
    with_containers = SimpleNamespace(capabilities=able)
    monkeypatch.setattr(type(engine.plugins), "executor", lambda *_: with_containers)
    assert PART_2 + "docker" in client.get("conformance").json()["conformsTo"]


def test_docker_is_declared_where_there_is_a_container_runtime(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Containers, "here", lambda one: [one.plugin("charliecloud")])
    assert PART_2 + "docker" in client.get("conformance").json()["conformsTo"]
