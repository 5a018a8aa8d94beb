"""A site's service.py, used as it is."""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import localproc_s3
import pytest
from click.testing import CliRunner
from localproc_eoepca import Served, run_service
from localproc_eoepca.command import zoo
from localproc_eoepca.places import places
from localproc_eoepca.runner import pulling
from localproc_eoepca.zoo_documents import as_kernel, parameters, read_conf
from moto.server import ThreadedMotoServer

from localproc.cli.site import Site
from localproc.errors import InvalidInputs

SERVICE = Path(__file__).with_name("site_service.py")
METHODS = [
    "pre_execution_hook",
    "get_additional_parameters",
    "get_secrets",
    "get_pod_env_vars",
    "get_pod_node_selector",
    "handle_outputs",
    "post_execution_hook",
]


def served(folder: Path, inputs: dict[str, Any], **conf: dict[str, Any]) -> Served:
    sections = {"lenv": {"usid": "0815"}, "eoepca": {}, "pod_env_vars": {"SITE": "Olinda"}}
    return run_service(
        SERVICE,
        inputs,
        conf={**sections, **conf},
        home=folder / "home",
        results=folder / "results",
    )


def test_a_handler_is_called_as_by_the_runner_of_eoepca(tmp_path: Path) -> None:
    found = served(tmp_path, {"size": 3, "bands": ["green", "nir"]})
    assert found.successful
    assert found.conf["called"]["methods"] == METHODS
    told = found.conf["told"]
    assert told["job"] == "site-scene-0815"
    assert "made for Olinda" in told["log"]
    assert told["steps"] == ["make", "stage_out"]
    assert "make.log" in " ".join(found.conf["service_logs"]["url"])
    (folder,) = (tmp_path / "results").iterdir()
    assert told["catalog"] == f"{folder.as_uri()}/catalog.json"
    assert (folder / folder.name / "N" / "data.txt").read_text() == "3 green+nir"
    assert json.loads(found.outputs["scene"]["value"])["id"] == "of the site"


def test_a_hook_that_fails_ends_the_service_before_a_job_is_made(tmp_path: Path) -> None:
    found = served(tmp_path, {"size": 3}, eoepca={"closed": "yes"})
    assert not found.successful
    assert "the workspace is closed" in found.message
    assert found.conf["called"]["methods"] == ["pre_execution_hook"]
    assert not (tmp_path / "home").exists()


def test_a_job_that_fails_leaves_its_logs_to_the_handler(tmp_path: Path) -> None:
    found = served(tmp_path, {"size": 3, "fail": True})
    assert found.message == "Execution failed"
    assert found.conf["called"]["methods"] == METHODS[:-1]
    assert found.conf["service_logs"]["length"] == "1"


def test_a_method_that_gives_no_mapping_is_named(tmp_path: Path) -> None:
    found = served(tmp_path, {"size": 3}, eoepca={"variables": ["SITE=Olinda"]})
    assert not found.successful
    assert "the handler's get_pod_env_vars gives list, and not a mapping" in found.message
    assert "see SiteHandler in the service" in found.message


def test_inputs_that_do_not_fit_are_told(tmp_path: Path) -> None:
    found = served(tmp_path, {"sice": 3})
    assert not found.successful
    assert "there is no input 'sice'" in found.message
    assert "did you mean 'size'?" in found.message


def test_an_execution_that_was_done_is_not_done_again(tmp_path: Path) -> None:
    first, second = served(tmp_path, {"size": 3}), served(tmp_path, {"size": 3})
    assert first.conf["told"]["catalog"] == second.conf["told"]["catalog"]


def test_keys_that_a_handler_has_for_tools_are_kept_nowhere(tmp_path: Path) -> None:
    variables = {"SITE": "Olinda", "AWS_SECRET_ACCESS_KEY": "very/secret", "VAULT": None}
    shown = {"MINE": "also secret", "LEVEL": "3"}
    found = served(
        tmp_path,
        {"size": 3},
        eoepca={"variables": {**variables, **shown}},
        additional_parameters={"STAGEIN_AWS_SECRET_ACCESS_KEY": "also secret"},
    )
    assert found.successful, found.message
    told = found.conf["told"]["log"]
    assert "with a key of 11 characters, no vault" in told
    kept = [path for path in tmp_path.rglob("*") if path.is_file()]
    for secret in (b"very/secret", b"also secret"):
        assert not [path for path in kept if secret in path.read_bytes()]
    assert any(b'"LEVEL"' in path.read_bytes() for path in kept)


def test_a_service_finds_the_request_and_may_speak_of_its_cluster(tmp_path: Path) -> None:
    found = served(tmp_path, {"size": 3}, eoepca={"cluster": {"dedicated_namespace": False}})
    assert found.successful, found.message
    assert json.loads(found.conf["request"]["jrequest"]) == {"inputs": {"size": 3}}


def test_images_are_pulled_with_all_keys_that_are_given_by_name(tmp_path: Path) -> None:
    pull = {"imagePullSecrets": {"auths": {"a.example": {"auth": "YTph"}}}, "others": {}}
    more = {"additionalImagePullSecrets": {"auths": {"b.example": {"auth": "YjpiCg=="}}}}
    with pulling({**pull, **more}):
        told = json.loads((Path(os.environ["DOCKER_CONFIG"]) / "config.json").read_text())
    assert set(told["auths"]) == {"a.example", "b.example"}
    with pulling({"imagePullSecrets": {}}):
        assert os.environ.get("DOCKER_CONFIG") is None


def test_nothing_of_a_service_is_left_in_the_process(tmp_path: Path) -> None:
    folder, environment, modules = os.getcwd(), dict(os.environ), set(sys.modules)
    served(tmp_path, {"size": 3})
    assert (os.getcwd(), dict(os.environ)) == (folder, environment)
    assert not {one for one in set(sys.modules) - modules if one.startswith("zoo")}


@pytest.fixture
def s3() -> Iterator[str]:
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_results_go_where_the_handler_says(tmp_path: Path, s3: str) -> None:
    keys = {"AWS_SERVICEURL": s3, "AWS_REGION": "us-east-1"}
    keys |= {"AWS_ACCESS_KEY_ID": "mine", "AWS_SECRET_ACCESS_KEY": "very secret"}
    client = boto3.client(
        "s3",
        endpoint_url=s3,
        region_name="us-east-1",
        aws_access_key_id="mine",
        aws_secret_access_key="very secret",
    )
    client.create_bucket(Bucket="workspace")
    more = {f"STAGEOUT_{name}": value for name, value in keys.items()}
    found = run_service(
        SERVICE,
        {"size": 3},
        conf={
            "lenv": {"usid": "0815"},
            "eoepca": {},
            "pod_env_vars": {"SITE": "Olinda"},
            "additional_parameters": {**more, "STAGEOUT_OUTPUT": "workspace"},
        },
        home=tmp_path / "home",
        plugins=[localproc_s3],
    )
    assert found.successful, found.message
    catalog = found.conf["told"]["catalog"]
    assert catalog.startswith("s3://workspace/processing-results/0815/")
    client.head_object(Bucket="workspace", Key=catalog.removeprefix("s3://workspace/"))
    client.close()
    kept = [path for path in (tmp_path / "home").rglob("*") if path.is_file()]
    assert not [path for path in kept if b"very secret" in path.read_bytes()]


def test_parameters_name_storages() -> None:
    found = places({"STAGEIN_AWS_REGION": "r", "STAGEOUT_OUTPUT": "b/c", "process": "p"}, "EOEPCA")
    assert found.results == "s3://b/c/p"
    assert found.options == {"s3": {"region": "r"}, "s3://b": {"platform": "EOEPCA"}}
    assert places({}, "EOEPCA").results == ""
    assert "secret!" not in repr(places({"STAGEIN_AWS_SECRET_ACCESS_KEY": "secret!"}, ""))


def test_values_come_back_as_they_were_from_the_texts_of_the_kernel() -> None:
    inputs = {
        "number": 1.5,
        "count": 3,
        "flag": True,
        "text": "3",
        "one": ["green"],
        "numbers": [1, 2],
        "file": {"class": "File", "location": "https://example.org/a"},
    }
    assert as_kernel(inputs)["number"] == {"value": "1.5", "dataType": "double"}
    assert parameters(as_kernel({**inputs, "none": None})) == inputs
    assert parameters({"bands": {"value": "green", "maxOccurs": "unbounded"}}) == {
        "bands": ["green"]
    }
    fetched = parameters({"scene": {"cache_file": "/tmp/a.tif", "mimeType": "image/tiff"}})
    assert fetched["scene"] == {"class": "File", "path": "/tmp/a.tif", "basename": "a.tif"}
    with pytest.raises(InvalidInputs, match="count is 'many', which is no integer"):
        parameters({"count": {"value": "many", "dataType": "integer"}})


@pytest.mark.parametrize(
    ("name", "text"),
    [("main.cfg", "[eoepca]\ndomain = a.b\nKey=1%\n"), ("c.yml", "eoepca: {domain: a.b, Key: 1%}")],
)
def test_a_configuration_has_sections(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert read_conf(str(tmp_path / name)) == {"eoepca": {"domain": "a.b", "Key": "1%"}}


@pytest.mark.parametrize("text", ["- a", "eoepca: 3", "{"])
def test_what_is_no_configuration_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "c.yml").write_text(text)
    with pytest.raises(InvalidInputs, match=r"c\.yml"):
        read_conf(str(tmp_path / "c.yml"))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("import surely_not_there", "install what the service needs"),
        ("x = 1", "no single function of conf, inputs and outputs"),
    ],
)
def test_what_is_no_service_is_refused(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "service.py").write_text(text)
    with pytest.raises(InvalidInputs) as caught:
        run_service(tmp_path / "service.py")
    assert said in f"{caught.value.message} {caught.value.hint}"


def test_the_command_tells_how_far_it_is_and_prints_the_outputs(tmp_path: Path) -> None:
    (tmp_path / "inputs.yml").write_text("size: 3\n")
    (tmp_path / "main.cfg").write_text("[eoepca]\ndomain = a.b\n[pod_env_vars]\nSITE = Olinda\n")
    words = [str(SERVICE), str(tmp_path / "inputs.yml"), "--conf", str(tmp_path / "main.cfg")]
    words += ["--results", str(tmp_path / "results")]
    done = CliRunner().invoke(zoo, words, obj=Site(str(tmp_path / "home"), "default"))
    assert done.exit_code == 0, done.output
    assert "make: successful" in done.stderr
    assert "of the site" in json.loads(done.stdout)["scene"]["value"]


HELPED = """
def helped(conf, inputs, outputs):
    import helper, tools.more
    outputs["told"] = {"value": helper.NAME + tools.more.NAME}
    return 3
"""


def test_a_service_has_the_modules_that_lie_beside_it_and_no_others(tmp_path: Path) -> None:
    before = set(sys.path)
    for name in ("first", "second"):
        (tmp_path / name / "tools").mkdir(parents=True)
        (tmp_path / name / "service.py").write_text(HELPED)
        (tmp_path / name / "tools" / "__init__.py").write_text("")
        for file in ("helper.py", "tools/more.py"):
            (tmp_path / name / file).write_text(f"NAME = {name!r}")
        found = run_service(tmp_path / name / "service.py")
        assert found.outputs["told"]["value"] == name * 2
    assert (set(sys.path), {one for one in sys.modules if one in ("helper", "tools")}) == (
        before,
        set(),
    )


def test_dates_stay_texts(tmp_path: Path) -> None:
    (tmp_path / "conf.yml").write_text("eoepca: {since: 2024-05-31, at: 2024-05-31T12:00:00Z}")
    since = {"since": "2024-05-31", "at": "2024-05-31T12:00:00Z"}
    assert read_conf(str(tmp_path / "conf.yml")) == {"eoepca": since}


@pytest.mark.parametrize("text", ["{", "- 1", "a: !!python/object:x {}"])
def test_inputs_that_are_none_are_told(tmp_path: Path, text: str) -> None:
    (tmp_path / "inputs.yml").write_text(text)
    words = [str(SERVICE), str(tmp_path / "inputs.yml")]
    done = CliRunner().invoke(zoo, words, obj=Site(str(tmp_path / "home"), "default"))
    assert isinstance(done.exception, InvalidInputs)


TALKS = """
import zoo

def talks(conf, inputs, outputs):
    for level in ("trace", "debug", "info", "success", "warning", "error", "critical"):
        getattr(zoo, level)(f"it is {level} at 100%")
    try:
        raise zoo.exception("of the kernel")
    except zoo.exception as error:
        outputs["told"] = {"value": str(error)}
    others = zoo.SERVICE_ACCEPTED, zoo.SERVICE_STARTED, zoo.SERVICE_PAUSED, zoo.SERVICE_FAILED
    assert zoo.SERVICE_DISMISSED not in others
    return zoo.SERVICE_SUCCEEDED
"""


def test_a_service_may_log_as_with_the_kernel(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "service.py").write_text(TALKS)
    with caplog.at_level("DEBUG", logger="localproc.zoo"):
        found = run_service(tmp_path / "service.py", home=tmp_path / "home")
    assert found.successful
    assert found.outputs["told"]["value"] == "of the kernel"
    assert [one.levelname for one in caplog.records if one.name == "localproc.zoo"] == [
        "DEBUG",
        "DEBUG",
        "INFO",
        "INFO",
        "WARNING",
        "ERROR",
        "CRITICAL",
    ]
