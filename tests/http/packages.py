"""Packages that tests deploy."""

import json
from typing import Any

CWL = """\
cwlVersion: v1.2
# This comment belongs to the package as well.
$graph:
  - class: Workflow
    id: first
    label: Says it
    inputs: {message: string}
    outputs: {said: {type: File, outputSource: say/said}}
    steps: {say: {run: "#say", in: {message: message}, out: [said]}}
  - class: Workflow
    id: second
    inputs: {word: string}
    outputs: {said: {type: File, outputSource: say/said}}
    steps: {say: {run: "#say", in: {message: word}, out: [said]}}
  - class: CommandLineTool
    id: say
    baseCommand: echo
    inputs: {message: {type: string, inputBinding: {}}}
    stdout: said.txt
    outputs: {said: stdout}
$namespaces: {s: https://schema.org/}
s:softwareVersion: "1.2.3"
"""

#: The same in JSON.
TOOL: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "tool",
    "baseCommand": "echo",
    "inputs": {"message": {"type": "string", "inputBinding": {}}},
    "stdout": "said.txt",
    "outputs": {"said": {"type": "stdout"}},
}

#: The shape of the official suite's sample: a description without wrapper, an image to run.
BAND_MATH: dict[str, Any] = {
    "processDescription": {
        "id": "BandMath",
        "title": "Calculates with bands",
        "version": "1.0.0",
        "jobControlOptions": ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value", "reference"],
        "links": [],
        "additionalParameters": [{"name": "entry-point", "value": "otbcli_BandMath"}],
        "inputs": {
            "il": {
                "title": "Images",
                "maxOccurs": 1024,
                "additionalParameters": [{"name": "pattern", "value": "-name value"}],
                "schema": {
                    "oneOf": [
                        {
                            "type": "string",
                            "contentEncoding": "base64",
                            "contentMediaType": f"image/{kind}",
                        }
                        for kind in ("tiff", "jpeg", "png")
                    ]
                },
            },
            "out": {
                "title": "Type of the pixels",
                "schema": {
                    "type": "string",
                    "default": "float",
                    "enum": ["uint8", "int16", "int32", "int32", "float"],
                },
            },
            "ram": {
                "title": "Memory",
                "schema": {"type": "integer", "default": 128, "nullable": True},
            },
            "exp": {"title": "Expression", "schema": {"type": "string"}},
        },
        "outputs": {
            "out": {
                "title": "Image",
                "schema": {
                    "oneOf": [
                        {
                            "type": "string",
                            "contentEncoding": "base64",
                            "contentMediaType": "image/tiff",
                        }
                    ]
                },
            }
        },
    },
    "executionUnit": {"type": "docker", "image": "docker://otbtf/4.1.0-cpu"},
}

#: Fails after a while, with two last words on stderr.
FAILING = """\
cwlVersion: v1.2
class: Workflow
id: failing
inputs: {code: {type: int, default: 7}}
outputs: {}
steps:
  break:
    run:
      class: CommandLineTool
      baseCommand: [sh, -c, 'echo one line >&2; echo "this is why" >&2; exit $0']
      inputs: {code: {type: int, inputBinding: {}}}
      outputs: {}
    in: {code: code}
    out: []
"""


def package(unit: Any, **described: Any) -> bytes:
    """Give an OGC application package of an execution unit."""
    content = {"processDescription": {"process": described}, "executionUnit": unit}
    return json.dumps(content if described else {"executionUnit": unit}).encode()
