"""The water bodies example with results in S3, as others read them: the notebook, GDAL, pystac."""

import io
import json
import os
from collections.abc import Iterator
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import localproc_s3
import pystac
import pytest
import s3fs
from s3_fixtures import bucket, server
from s3_server import Server

from localproc import Engine
from localproc.model import InputPolicy

rasterio = pytest.importorskip("rasterio")
pytest.importorskip("ogc_api_processes_client")

__all__ = ["bucket", "server"]

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::PendingDeprecationWarning"),
]

EXAMPLES = Path(__file__).parents[3] / "examples"
NOTEBOOK = EXAMPLES / "notebooks" / "004_results_in_s3.ipynb"
CLIENT = "client = ApiClientWrapper(configuration=configuration)\n"


@pytest.fixture
def played(
    tmp_path: Path, server: Server, bucket: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[dict[str, Any]]:
    """Give what the notebook has when all its cells have been executed, without a server."""
    monkeypatch.chdir(NOTEBOOK.parent)
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    document = json.loads(NOTEBOOK.read_text())
    code = ["".join(one["source"]) for one in document["cells"] if one["cell_type"] == "code"]
    policy = InputPolicy(roots=(str(EXAMPLES / "water_bodies" / "scenes"),), guarded=True)
    plugins = [localproc_s3]
    with Engine(
        tmp_path, namespace="acme", plugins=plugins, results=f"s3://{bucket}/results"
    ) as engine:
        engine.deploy(EXAMPLES / "water_bodies" / "water-bodies.cwl")
        said = io.StringIO()
        known: dict[str, Any] = {"engine": engine, "policy": policy}
        for number, cell in enumerate(code):
            short = cell.replace(f"{CLIENT}# ", "").replace("time.sleep(10)", "time.sleep(0.1)")
            with redirect_stdout(said):
                exec(compile(short, f"cell {number}", "exec"), known)
        yield known | {"said": said.getvalue()}


def test_water_bodies_in_s3(played: dict[str, Any], server: Server, bucket: str) -> None:
    assert played["profile"]["dtype"] == "uint8"
    assert "LE07_OLINDA_S.json" in played["said"]
    top = f"s3://{bucket}/results/{played['job_id']}"
    hrefs = [item.assets["data"].href for item in played["stac_items"]]
    assert hrefs == [f"{top}/{played['job_id']}/LE07_OLINDA_{name}/otsu.tif" for name in ("N", "S")]
    for item in played["stac_items"]:
        assert item.assets["data"].extra_fields["storage:platform"] == "eoap"
    is_read_by_gdal(hrefs[0], server)
    is_read_by_pystac(f"{top}/catalog.json")


def is_read_by_gdal(href: str, server: Server) -> None:
    options = {
        "AWS_S3_ENDPOINT": server.endpoint.removeprefix("http://"),
        "AWS_HTTPS": "NO",
        "AWS_VIRTUAL_HOSTING": "FALSE",
    }
    with rasterio.Env(**options), rasterio.open(href.replace("s3://", "/vsis3/")) as mask:
        assert set(mask.read(1).flatten()) <= {0, 1}


def is_read_by_pystac(href: str) -> None:
    class ByS3fs(pystac.stac_io.DefaultStacIO):
        def read_text_from_href(self, href: str) -> str:
            files = s3fs.S3FileSystem(endpoint_url=os.environ["AWS_ENDPOINT_URL"])
            return str(files.cat_file(href).decode())

    catalog = pystac.Catalog.from_file(href, stac_io=ByS3fs())
    assert sorted(item.id for item in catalog.get_items(recursive=True)) == [
        "LE07_OLINDA_N",
        "LE07_OLINDA_S",
    ]
