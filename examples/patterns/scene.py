"""What the tools of the patterns do: something small with staged scenes, and STAC of what came.

``scene.py index NAME OUT SCENE...`` writes a catalog with one item for each scene: the sizes of its
assets as a table, called NAME. ``scene.py indices NAME,NAME SCENE`` writes a catalog for each name.
``scene.py mean SCENE`` prints a number. Standard library alone.
"""

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def items(folder: str) -> Iterator[tuple[dict[str, Any], Path]]:
    """Give the items of a catalog, by its folder or its address, each with where it lies."""
    place = Path(folder.removeprefix("file://"))
    catalog = place / "catalog.json" if place.is_dir() else place
    for link in json.loads(catalog.read_text())["links"]:
        if link["rel"] == "item":
            path = catalog.parent / link["href"]
            yield json.loads(path.read_text()), path.parent


def sizes(item: dict[str, Any], folder: Path) -> dict[str, int]:
    """Give the bytes of each asset that was staged."""
    return {key: (folder / one["href"]).stat().st_size for key, one in item["assets"].items()}


def index(name: str, out: str, scenes: list[str], beside: str = "", box: str = "") -> None:
    """Write a catalog of what was made of scenes."""
    links = []
    for scene in scenes:
        for item, folder in items(scene):
            found = sizes(item, folder)
            item_id = f"{item['id']}_{name}"
            target = Path(out) / item_id
            target.mkdir(parents=True, exist_ok=True)
            rows = [f"{key},{size}" for key, size in sorted(found.items())]
            rows += [f"beside,{os.path.getsize(beside)}"] if beside else []
            (target / f"{name}.csv").write_text("\n".join(["asset,bytes", *rows]) + "\n")
            made = {
                "type": "Feature",
                "stac_version": "1.0.0",
                "id": item_id,
                "geometry": item["geometry"],
                "bbox": json.loads(box) if box else item["bbox"],
                "properties": {
                    key: value for key, value in item["properties"].items() if "datetime" in key
                },
                "links": [],
                "assets": {name: {"href": f"{name}.csv", "type": "text/csv", "roles": ["data"]}},
            }
            (target / f"{item_id}.json").write_text(json.dumps(made, indent=2))
            links.append({"rel": "item", "href": f"./{item_id}/{item_id}.json"})
    catalog = {
        "type": "Catalog",
        "stac_version": "1.0.0",
        "id": name,
        "description": f"{name} of {len(scenes)} scenes",
        "links": links,
    }
    Path(out).mkdir(parents=True, exist_ok=True)
    (Path(out) / "catalog.json").write_text(json.dumps(catalog, indent=2))


def mean(scene: str) -> None:
    """Print the mean size of a scene's assets."""
    found = [size for item, folder in items(scene) for size in sizes(item, folder).values()]
    print(f"{sum(found) / len(found):.1f}")


def main(words: list[str]) -> None:
    """Do what a command line says."""
    if words[0] == "mean":
        mean(words[1])
        return
    if words[0] == "indices":
        for name in words[1].split(","):
            index(name, name, words[2:])
        return
    _, name, out, *rest = words
    options = dict(word[2:].split("=", 1) for word in rest if word.startswith("--"))
    scenes = [word for word in rest if not word.startswith("--")]
    index(name, out, scenes, options.get("beside", ""), options.get("box", ""))


if __name__ == "__main__":
    main(sys.argv[1:])
