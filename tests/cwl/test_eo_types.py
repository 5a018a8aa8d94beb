"""The well-known EO type documents: every type is there, and nothing is fetched to use it."""

import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn, TypeAlias

import pytest

from localproc import Engine
from localproc.cwl.base.types import CwlType, is_optional, kind, members, without_null
from localproc.cwl.load.load import load
from localproc.cwl.load.sources import Sources
from localproc.engine.packages.well_known import well_known
from localproc.errors import InvalidInputs, InvalidPackage

#: A type by its symbols or by its fields, the fields' types as a package's author writes them.
Table: TypeAlias = Mapping[str, list[str] | Mapping[str, str]]

ANY_GEOMETRY = "Point | LineString | Polygon | MultiPoint | MultiLineString | MultiPolygon"
COORDINATES = {
    "Point": "double[]",
    "LineString": "double[]",
    "Polygon": "double[][][]",
    "MultiPoint": "double[][]",
    "MultiLineString": "double[][][]",
    "MultiPolygon": "double[][][][]",
}


def geometries(**coordinates: str) -> Table:
    table: dict[str, list[str] | Mapping[str, str]] = {
        "GeometryCollectionType": ["GeometryCollection"],
        "GeometryCollection": {
            "type": "GeometryCollectionType",
            "geometries": f"({ANY_GEOMETRY})[]",
            "bbox": "double[]",
        },
        "FeatureType": ["Feature"],
    }
    for name, cwl_type in coordinates.items():
        table[f"{name}Type"] = [name]
        table[name] = {"type": f"{name}Type", "coordinates": cwl_type, "bbox": "double[]"}
    return table


GEOJSON: Table = {
    **geometries(**COORDINATES),
    "Feature": {
        "type": "FeatureType",
        "id": "string",
        "geometry": ANY_GEOMETRY,
        "bbox": "double[]",
    },
    "Link": {
        "href": "string",
        "rel": "string",
        "type": "string",
        "hreflang": "string",
        "title": "string",
        "length": "int",
    },
    "FeatureCollectionType": ["FeatureCollection"],
    "FeatureCollection": {
        "type": "FeatureCollectionType",
        "features": "Feature[]",
        "links": "Link[]",
        "timeStamp": "string",
        "numberMatched": "int",
        "numberReturned": "int",
    },
}

OGC: Table = {
    "CRS": [
        "http://www.opengis.net/def/crs/OGC/1.3/CRS84",
        "http://www.opengis.net/def/crs/OGC/0/CRS84h",
        "CRS84",
        "CRS84h",
    ],
    "BBox": {"bbox": "double[]", "crs": "CRS"},
}

TITLES = {"title": "string?", "description": "string?"}
TIMES = {
    "datetime": "string?",
    "start_datetime": "string?",
    "end_datetime": "string?",
    "created": "string?",
    "updated": "string?",
}
FEATURE = {
    "type": "FeatureType",
    "id": "string",
    "geometry": f"({ANY_GEOMETRY})?",
    "bbox": "double[]",
}
STAC: Table = {
    **geometries(**{**COORDINATES, "Polygon": "double[][]"}),
    "StacVersion": ["1.0.0"],
    "Link": {"href": "string", "rel": "string", "title": "string?", "type": "string?"},
    "Catalog": {
        "description": "string",
        "id": "string",
        "links": "Link[]",
        "stac_extensions": "string[]?",
        "stac_version": "StacVersion",
        "title": "string?",
        "type": "string",
    },
    "BasicDescriptiveFields": TITLES,
    "DateTime": TIMES,
    "Instrument": {
        "constellation": "string?",
        "gsd": "int?",
        "instruments": "string[]",
        "mission": "string?",
        "platform": "string?",
    },
    "Licensing": {"license": "string?"},
    "OrganizationRole": ["producer", "licensor", "processor", "host"],
    "Provider": {
        "description": "string?",
        "name": "string",
        "roles": "OrganizationRole[]?",
        "url": "string?",
    },
    "Providers": {"providers": "Provider[]?"},
    "Feature": FEATURE,
    "CommonMetadata": {**TITLES, **TIMES, "license": "string?", "providers": "Provider[]?"},
    "Asset": {
        "href": "string",
        **TITLES,
        "type": "string?",
        "roles": "string[]?",
        **TIMES,
        "license": "string?",
        "providers": "Provider[]",
    },
    "Item": {
        **FEATURE,
        "stac_version": "StacVersion",
        "stac_extensions": "string[]?",
        "links": "Link[]",
        "properties": "CommonMetadata",
    },
    "CollectionType": ["Collection"],
    "Spatial": {"bbox": "double[][]"},
    "Temporal": {"interval": "string[][]"},
    "Extents": {"spatial": "Spatial", "temporal": "Temporal"},
    "Range": {"minimum": "int | string", "maximum": "int | string"},
    "Collection": {
        "stac_version": "StacVersion",
        "stac_extensions": "string[]?",
        "type": "CollectionType",
        "title": "string?",
        "keywords": "string[]?",
        "license": "string",
        "providers": "Provider?",
        "links": "Link[]",
        "summaries": "Range?",
    },
}

STRING_FORMATS = [
    "Date",
    "DateTime",
    "Duration",
    "Email",
    "Hostname",
    "IDNEmail",
    "IDNHostname",
    "IPv4",
    "IPv6",
    "IRI",
    "IRIReference",
    "JsonPointer",
    "Password",
    "RelativeJsonPointer",
    "UUID",
    "URI",
    "URIReference",
    "URITemplate",
    "Time",
]

API_ENDPOINT: Table = {
    "KeyValuePair": {"key": "string", "value": "string"},
    "APIEndpoint": {"url": "URI", "headers": "KeyValuePair[]?"},
}

GEOMETRIES = "Point | MultiPoint | LineString | MultiLineString | Polygon | MultiPolygon"
DISCOVERY: Table = {
    "DatetimeInterval": {"start": "DateTime", "end": "DateTime"},
    "Fields": {"include": "string[]?", "exclude": "string[]?"},
    "FilterLang": ["cql2-text", "cql2-json"],
    "Direction": ["asc", "desc"],
    "SortBy": {"field": "string", "direction": "Direction"},
    "STACSearchSettings": {
        "bbox": "double[]?",
        "datetime": "DateTime?",
        "datetime-interval": "DatetimeInterval?",
        "intersects": f"({GEOMETRIES} | GeometryCollection)?",
        "collections": "string[]?",
        "ids": "string[]?",
        "limit": "int?",
        "max-items": "int?",
        "fields": "Fields?",
        "filter": "Any?",
        "filter-lang": "FilterLang?",
        "filter-crs": "URI[]?",
        "sortby": "SortBy[]?",
    },
    "STACAPI": {"api_endpoint": "APIEndpoint", "search_request": "STACSearchSettings"},
}

PROCESS: Table = {
    "Bands": [
        "crs_coastal_aerosol",
        "blue",
        "green",
        "red",
        "nir08",
        "swir1",
        "swir2",
        "panchromatic",
        "cirrus",
        "tirs1",
        "tirs2",
    ],
    "OGCExecuteProcessSettings": {"process_id": "string", "inputs": "Any", "properties": "Any[]?"},
    "OCGProcesses": {
        "api_endpoint": "APIEndpoint",
        "execute_request": "OGCExecuteProcessSettings",
    },
}

DOCUMENTS: Mapping[str, Table] = {
    "experimental/api-endpoint.yaml": API_ENDPOINT,
    "experimental/discovery.yaml": DISCOVERY,
    "experimental/process.yaml": PROCESS,
    "geojson.yaml": GEOJSON,
    "ogc.yaml": OGC,
    "stac.yaml": STAC,
    "string_format.yaml": {name: {"value": "string"} for name in STRING_FORMATS},
}

PUBLISHED = "https://raw.githubusercontent.com/eoap/schemas/"
EO = f"{PUBLISHED}main/"
EO_TYPE_PREFIXES = [
    EO,
    f"{PUBLISHED}refs/heads/main/",
    f"{PUBLISHED}0.1.0/",
    f"{PUBLISHED}refs/tags/0.3.2/",
]
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
NILE = {"bbox": [30.5, 29.9, 31.5, 30.9], "crs": CRS84}

PATTERN_12 = f"""
cwlVersion: v1.2
$graph:
  - class: Workflow
    id: pattern-12
    requirements:
      ScatterFeatureRequirement: {{}}
      SchemaDefRequirement:
        types:
          - $import: {EO}string_format.yaml
          - $import: {EO}ogc.yaml
    inputs:
      aoi:
        type: {EO}ogc.yaml#BBox
        label: area of interest
      item:
        type: {EO}string_format.yaml#URI
      others:
        type: {EO}string_format.yaml#URI[]?
        default: []
    outputs:
      seen: {{type: string, outputSource: look/seen}}
      also: {{type: "string[]", outputSource: look_on/seen}}
    steps:
      look: {{run: "#look", in: {{aoi: aoi, item: item}}, out: [seen]}}
      look_on: {{run: "#look", scatter: item, in: {{aoi: aoi, item: others}}, out: [seen]}}
  - class: CommandLineTool
    id: look
    requirements:
      SchemaDefRequirement:
        types:
          - $import: {EO}string_format.yaml
          - $import: {EO}ogc.yaml
    baseCommand: [echo, -n]
    arguments: [$(inputs.item.value), "$(inputs.aoi.bbox[0])", $(inputs.aoi.crs)]
    inputs:
      aoi: {EO}ogc.yaml#BBox
      item: {EO}string_format.yaml#URI
    stdout: seen.txt
    outputs:
      seen:
        type: string
        outputBinding: {{glob: seen.txt, loadContents: true, outputEval: "$(self[0].contents)"}}
"""


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **options: Any) -> NoReturn:
        raise AssertionError(f"the network was asked for {args}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


@pytest.mark.parametrize("prefix", EO_TYPE_PREFIXES)
@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_type_is_known_without_an_import(document: str, prefix: str) -> None:
    types = {name: f"{prefix}{document}#{name}" for name in DOCUMENTS[document]}

    resolved = input_types(types)

    assert {name: shape(cwl_type) for name, cwl_type in resolved.items()} == DOCUMENTS[document]
    assert {name: named(cwl_type) for name, cwl_type in resolved.items()} == types


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize("prefix", EO_TYPE_PREFIXES)
def test_an_imported_type_may_be_optional_or_the_item_of_an_array(
    prefix: str, version: str
) -> None:
    uri = f"{prefix}string_format.yaml#URI"
    types = {"one": uri, "several": f"{uri}[]", "perhaps": f"{uri}?", "any_number": f"{uri}[]?"}

    resolved = input_types(types, f"{prefix}string_format.yaml", version)

    assert {name: written(cwl_type) for name, cwl_type in resolved.items()} == {
        "one": "URI",
        "several": "URI[]",
        "perhaps": "URI?",
        "any_number": "URI[]?",
    }


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize("document", DOCUMENTS)
def test_each_document_is_imported_offline(document: str, version: str) -> None:
    name = next(iter(DOCUMENTS[document]))
    resolved = input_types({"x": f"{EO}{document}#{name}"}, f"{EO}{document}", version)
    assert shape(resolved["x"]) == DOCUMENTS[document][name]


@pytest.mark.parametrize("document", ["/etc/hosts", "../sources.py", "experimental/../ogc.yaml"])
def test_nothing_else_of_this_machine_is_served(document: str) -> None:
    with pytest.raises(InvalidPackage):
        input_types({"x": "string"}, f"{EO}{document}")


def test_a_type_that_the_documents_lack_is_an_error() -> None:
    with pytest.raises(InvalidPackage, match="unknown type 'Url'"):
        input_types({"page": f"{EO}string_format.yaml#Url"})


def test_a_bounding_box_and_a_uri_go_through_a_job(tmp_path: Path) -> None:
    inputs = {"aoi": NILE, "item": "https://stac.example/items/one"}

    with Engine(tmp_path) as engine:
        results = engine.run(PATTERN_12, inputs).results()

    assert results == {"seen": f"https://stac.example/items/one 30.5 {CRS84}", "also": []}


def test_a_uri_is_a_plain_string_or_has_a_value(tmp_path: Path) -> None:
    plain: dict[str, Any] = {
        "aoi": NILE,
        "item": "https://stac.example/items/one",
        "others": ["https://stac.example/items/two", "https://stac.example/items/three"],
    }
    wrapped = {
        "aoi": NILE,
        "item": {"value": plain["item"]},
        "others": [{"value": uri} for uri in plain["others"]],
    }

    with Engine(tmp_path) as engine:
        process = engine.deploy(PATTERN_12)
        jobs = [process.execute(inputs) for inputs in (plain, wrapped)]
        first, second = [job.results() for job in jobs]

    assert first == second
    assert first["also"] == [
        f"https://stac.example/items/two 30.5 {CRS84}",
        f"https://stac.example/items/three 30.5 {CRS84}",
    ]


def test_a_bounding_box_may_name_its_crs_in_short(tmp_path: Path) -> None:
    inputs = {"aoi": {**NILE, "crs": "CRS84"}, "item": "https://stac.example/items/one"}

    with Engine(tmp_path) as engine:
        results = engine.run(PATTERN_12, inputs).results()

    assert results["seen"] == "https://stac.example/items/one 30.5 CRS84"


def test_a_bounding_box_in_an_unknown_crs_is_refused(tmp_path: Path) -> None:
    with Engine(tmp_path) as engine, pytest.raises(InvalidInputs) as refused:
        engine.run(
            PATTERN_12, {"aoi": {**NILE, "crs": "EPSG:4326"}, "item": "https://stac.example"}
        )

    assert [problem.where for problem in refused.value.problems] == ["inputs.aoi.crs"]


def input_types(
    types: Mapping[str, str], imported: str = "", version: str = "v1.2"
) -> dict[str, CwlType]:
    """Give the resolved types of a tool's inputs."""
    lines = [f"cwlVersion: {version}", "class: CommandLineTool", "baseCommand: 'true'"]
    if imported:
        lines += ["requirements:", "  SchemaDefRequirement:", f"    types: [$import: {imported}]"]
    lines += ["inputs:", *(f"  {name}: {uri}" for name, uri in types.items()), "outputs: []"]
    text = "\n".join(lines).encode()
    tool = load(Sources("file:///package/tool.cwl", lambda _: text, well_known=well_known)).main
    return {port["id"]: port["type"] for port in tool["inputs"]}


def shape(cwl_type: CwlType) -> list[str] | dict[str, str]:
    """Give an enum by its symbols, a record by its fields."""
    assert isinstance(cwl_type, Mapping)
    if kind(cwl_type) == "enum":
        return list(cwl_type["symbols"])
    return {field["name"]: written(field["type"]) for field in cwl_type["fields"]}


def named(cwl_type: CwlType) -> str:
    assert isinstance(cwl_type, Mapping)
    return str(cwl_type["name"])


def written(cwl_type: CwlType) -> str:
    """Write a type as a package's author does, named types by their names."""
    if isinstance(cwl_type, str):
        return cwl_type
    if isinstance(cwl_type, Mapping):
        if kind(cwl_type) == "array":
            return grouped(written(cwl_type["items"])) + "[]"
        return named(cwl_type).rpartition("#")[2]
    if is_optional(cwl_type):
        return grouped(written(without_null(cwl_type))) + "?"
    return " | ".join(written(member) for member in members(cwl_type))


def grouped(text: str) -> str:
    return f"({text})" if " " in text else text
