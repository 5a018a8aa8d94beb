"""A service as a site has it: with a handler of its own, in the shape of EOEPCA's template."""

import json
import os
import pathlib
import traceback
from typing import Any

import yaml
import zoo
from zoo_calrissian_runner import ExecutionHandler, ZooCalrissianRunner

HERE = pathlib.Path(__file__).parent


class SiteHandler(ExecutionHandler):  # type: ignore[misc] # it is there when it is loaded
    def __init__(self, conf: dict[str, Any]) -> None:
        super().__init__()
        self.conf = conf
        self.feature_collection = ""
        self.called: list[str] = conf.setdefault("called", {}).setdefault("methods", [])

    def pre_execution_hook(self) -> None:
        self.called.append("pre_execution_hook")
        if self.conf["eoepca"].get("closed"):
            raise RuntimeError("the workspace is closed")
        usid = self.conf["lenv"]["usid"]
        self.conf["additional_parameters"]["collection_id"] = usid
        self.conf["additional_parameters"]["process"] = os.path.join("processing-results", usid)

    def get_additional_parameters(self) -> dict[str, Any]:
        self.called.append("get_additional_parameters")
        found: dict[str, Any] = self.conf["additional_parameters"]
        return found

    def get_secrets(self) -> dict[str, Any]:
        self.called.append("get_secrets")
        return {"auths": {"registry.example": {"auth": "dTpw"}}}

    def get_pod_env_vars(self) -> dict[str, str]:
        self.called.append("get_pod_env_vars")
        found: dict[str, str] = self.conf["eoepca"].get("variables", self.conf["pod_env_vars"])
        return found

    def get_pod_node_selector(self) -> dict[str, str]:
        self.called.append("get_pod_node_selector")
        return {}

    def handle_outputs(self, log: str, output: Any, usage_report: Any, tool_logs: Any) -> None:
        self.called.append("handle_outputs")
        self.conf["service_logs"] = {
            "url": [os.path.basename(one) for one in tool_logs],
            "length": str(len(tool_logs)),
        }

    def post_execution_hook(self, log: str, output: Any, usage_report: Any, tool_logs: Any) -> None:
        self.called.append("post_execution_hook")
        self.conf["told"] = {
            "job": self.job_id,
            "catalog": output["StacCatalogUri"],
            "log": log,
            "steps": [one["name"] for one in usage_report["children"]],
        }
        self.feature_collection = json.dumps({"type": "FeatureCollection", "id": "of the site"})


def site_scene(conf: dict[str, Any], inputs: dict[str, Any], outputs: dict[str, Any]) -> int:
    try:
        with open(HERE / "app-package.cwl") as stream:
            cwl = yaml.safe_load(stream)
        handler = SiteHandler(conf=conf)
        runner = ZooCalrissianRunner(
            cwl=cwl,
            conf=conf,
            inputs=inputs,
            outputs=outputs,
            execution_handler=handler,
            **conf["eoepca"].get("cluster", {}),
        )
        working_dir = os.path.join(conf["main"]["tmpPath"], runner.get_workdir_name())
        os.makedirs(working_dir, exist_ok=True)
        os.chdir(working_dir)
        status: int = runner.execute()
        if status == zoo.SERVICE_SUCCEEDED:
            outputs[next(iter(outputs))]["value"] = handler.feature_collection
            return status
        conf["lenv"]["message"] = zoo._("Execution failed")
    except Exception:
        conf["lenv"]["message"] = traceback.format_exc()
    failed: int = zoo.SERVICE_FAILED
    return failed
