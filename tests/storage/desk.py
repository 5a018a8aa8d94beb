"""What inputs are brought to, and samples of what is brought."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from localproc.storage.access import Access
from localproc.storage.stage_in import stage_in
from localproc.uris import path_uri


@dataclass
class Desk:
    """A job's folder for inputs."""

    folder: Path
    access: Access
    log: list[str] = field(default_factory=list)

    def bring(self, value: Any, name: str = "scene") -> Any:
        """Stage one input in."""
        return stage_in({name: value}, str(self.folder), self.access, self.log.append)[name]

    def left(self) -> list[str]:
        """List all that lies there."""
        return tree(self.folder)


def tree(folder: Path) -> list[str]:
    """List the files in a folder, and the folders in it that are empty."""
    return sorted(
        str(path.relative_to(folder))
        for path in folder.rglob("*")
        if not path.is_dir() or not any(path.iterdir())
    )


def file(location: str, **fields: Any) -> dict[str, Any]:
    """Make a File object."""
    basename = location.partition("?")[0].rpartition("/")[2]
    return {"class": "File", "location": location, "basename": basename, **fields}


def directory(location: str) -> dict[str, Any]:
    """Make a Directory object."""
    return {"class": "Directory", "location": location, "basename": location.rpartition("/")[2]}


def item(assets: Mapping[str, Any], item_id: Any = "scene", **fields: Any) -> dict[str, Any]:
    """Make a STAC item of a version that is not the newest."""
    return {
        "type": "Feature",
        "stac_version": "1.0.0",
        "stac_extensions": [],
        "id": item_id,
        "geometry": None,
        "properties": {"datetime": "2026-05-31T12:00:00Z", "proj:epsg": 32725},
        "links": [{"rel": "collection", "href": "../collection.json"}],
        "assets": dict(assets),
        "collection": "landsat",
        **fields,
    }


def write(path: Path, document: Any) -> str:
    """Write a JSON document; give its URI."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path_uri(str(path))


def read(path: Path) -> Any:
    """Read a JSON document."""
    return json.loads(path.read_text())
