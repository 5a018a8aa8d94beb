"""The standard's own schemas, which answers are held against.

They come from ``OGC_SCHEMAS_DIR``: the folders ``ogcapi-processes-1.0`` and
``ogcapi-processes-2.0-draft`` of github.com/opengeospatial/ogcapi-processes.
"""

import functools
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import jsonschema_rs
from ruamel.yaml import YAML

from tests.conftest import absent

VERSION_1: Final = "ogcapi-processes-1.0/schemas"
VERSION_2: Final = "ogcapi-processes-2.0-draft/schemas/processes-core"
DEPLOY: Final = "ogcapi-processes-2.0-draft/schemas/processes-dru"
COMMON: Final = "ogcapi-processes-2.0-draft/schemas/common-core"


def where() -> str:
    """Give the folder of the schemas; without it the test is skipped, or fails."""
    root = os.environ.get("OGC_SCHEMAS_DIR", "")
    if not root:
        absent("the standard's schemas are not here: OGC_SCHEMAS_DIR is not set")
    return root


def valid(document: Any, folder: str, name: str) -> None:
    """Hold a document against a schema; raises with every place where it does not fit."""
    errors = [
        f"{'/'.join(map(str, one.instance_path))}: {one.message}"
        for one in _validator(f"{where()}/{folder}/{name}.yaml").iter_errors(document)
    ]
    assert not errors, f"{folder}/{name}: {errors}"


@functools.cache
def _validator(path: str) -> Any:
    schema = {"$ref": Path(path).resolve().as_uri()}
    return jsonschema_rs.Draft4Validator(schema, retriever=_read)


def _read(uri: str) -> Any:
    if urlsplit(uri).scheme != "file" or "/cql2/" in uri:
        return {}  # GeoJSON and filters, which are other standards'
    path = Path(unquote(urlsplit(uri).path))
    schema = plain(YAML(typ="safe", pure=True).load(path.read_text("utf-8")))
    if path.name in ("inputValueNoObject.yaml", "inputValue.yaml"):
        # Exactly one can never hold: every text is also a binary value, every integer a number. The
        # draft of 2.0 mends it in the same way.
        return {"anyOf": schema["oneOf"]}
    if path.match(f"{VERSION_2}/schema.yaml"):
        # The draft took over that of the fields of a coverage: it knows no schema of a mere text.
        return {"type": "object"}
    return schema


def plain(schema: Any) -> Any:
    """Say ``nullable`` of OpenAPI 3.0 the way of JSON Schema."""
    if isinstance(schema, list):
        return [plain(one) for one in schema]
    if not isinstance(schema, Mapping):
        return schema
    # A mapping of properties may have one of that name, which is a schema and no flag.
    found = {key: plain(value) for key, value in schema.items()}
    is_nullable = found["nullable"] if isinstance(found.get("nullable"), bool) else False
    return {"anyOf": [found, {"type": "null"}]} if is_nullable else found
