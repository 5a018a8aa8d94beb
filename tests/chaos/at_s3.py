"""The process that is killed: ``HOME RESULTS SCENE OPTIONS run|dismiss|retry|tidy``.

Stages a scene in from S3, copies it, publishes it to S3.
"""

import json
import sys
from typing import Any

import localproc_s3

import localproc

_PACKAGE: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "copies",
    "baseCommand": ["sh", "-c", 'cp -RL "$0"/. . && chmod -R u+w .'],
    "inputs": [{"id": "scene", "type": "Directory", "inputBinding": {}}],
    "outputs": [{"id": "copy", "type": "Directory", "outputBinding": {"glob": "."}}],
}
_NOTHING: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "nothing",
    "baseCommand": "true",
    "inputs": [],
    "outputs": [],
}


def main(home: str, results: str, scene: str, options: str, verb: str) -> None:
    """Do it with the only job of the home, or make that."""
    settings: dict[str, Any] = {
        "plugins": [localproc_s3],
        "storage_options": {"s3": json.loads(options)},
    }
    with localproc.Engine(home, results=results, **settings) as engine:
        engine.resume()
        jobs = engine.jobs()
        if verb == "dismiss":
            jobs[0].dismiss()
        elif verb == "retry":
            jobs[0].retry().wait()
        elif verb == "tidy":
            engine.run(_NOTHING)  # who runs something removes what killed engines have left
        else:
            job = jobs[0] if jobs else engine.deploy(_PACKAGE).execute({"scene": scene})
            job.wait()


if __name__ == "__main__":
    main(*sys.argv[1:])
