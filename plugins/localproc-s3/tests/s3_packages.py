"""A package whose results have a catalog with an asset of some size, a file and a text."""

import sys
from typing import Any

_SCRIPT = """
import json, os, sys
os.makedirs("out/N")
with open("out/N/a b.bin", "wb") as file:
    file.write(os.urandom(16) * (int(sys.argv[1]) // 16))
links = [{"rel": "item", "href": "./N/N.json"}]
head = {"stac_version": "1.0.0", "type": "Catalog", "id": "c", "description": "d"}
json.dump({**head, "links": links}, open("out/catalog.json", "w"))
item = {
    "type": "Feature", "stac_version": "1.0.0", "id": "N", "geometry": None, "links": [],
    "properties": {"datetime": "2026-05-31T12:00:00Z"},
    "assets": {"data": {"href": "./a b.bin", "type": "application/octet-stream"}},
}
json.dump(item, open("out/N/N.json", "w"))
open("note ü.txt", "w").write("a note")
"""

SCENE: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "scene",
    "baseCommand": [sys.executable, "-c", _SCRIPT],
    "inputs": [{"id": "size", "type": "int", "default": 64, "inputBinding": {}}],
    "outputs": [
        {"id": "catalog", "type": "Directory", "outputBinding": {"glob": "out"}},
        {"id": "note", "type": "File", "outputBinding": {"glob": "note*.txt"}},
    ],
}

#: Lists what a folder has, and copies a file.
READS: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "reads",
    "baseCommand": ["sh", "-c", 'cat "$0"; cd "$1" && find -L . -type f | sort'],
    "inputs": [
        {"id": "file", "type": "File", "inputBinding": {"position": 1}},
        {"id": "folder", "type": "Directory", "inputBinding": {"position": 2}},
    ],
    "stdout": "said.txt",
    "outputs": [{"id": "said", "type": "stdout"}],
}
