"""What a tool is told of its input files: secondary files, contents, listings, formats."""

from collections.abc import Mapping
from typing import Any

import pytest

from localproc.cwl.run.enrich import apply_pattern
from localproc.cwl.run.process import Tool
from localproc.cwl.run.process_inputs import complete, fill
from localproc.errors import StepError
from tests.cwl.memory import Memory, directory, file, process, tool


def told(tool: Tool, value: Any, files: Memory, *, discover: bool = True) -> Any:
    """Give what a tool is told of its input x."""
    return complete(tool, fill(tool, {"x": value}), files, discover=discover)["x"]


def one_input(port: str, version: str = "v1.2", requirements: str = "") -> Tool:
    return tool(
        f"requirements: {{InlineJavascriptRequirement: {{}}{requirements}}}\ninputs: {{x: {port}}}",
        version,
    )


def names(value: Mapping[str, Any]) -> list[str]:
    return [one["basename"] for one in value["secondaryFiles"]]


def test_a_file_has_its_size() -> None:
    disk = Memory({"/data/a.txt": "12345"})
    assert told(one_input("File"), file("/data/a.txt"), disk) == file("/data/a.txt", size=5)


def test_the_given_objects_are_not_changed() -> None:
    given = file("/data/a.txt")
    told(one_input("{type: File, loadContents: true}"), given, Memory({"/data/a.txt": "a"}))
    assert given == file("/data/a.txt")


@pytest.mark.parametrize("value", [file("/data/missing"), file("/data")])
def test_a_file_that_is_none_is_an_error(value: dict[str, Any]) -> None:
    with pytest.raises(StepError, match="is not a file"):
        told(one_input("File"), value, Memory({"/data/a.txt": ""}))


@pytest.mark.parametrize("value", [directory("/data/missing"), directory("/data/a.txt")])
def test_a_directory_that_is_none_is_an_error(value: dict[str, Any]) -> None:
    with pytest.raises(StepError, match="is not a directory"):
        told(one_input("Directory"), value, Memory({"/data/a.txt": ""}))


# Secondary files


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (".idx", "scene.tar.gz.idx"),
        ("^.idx", "scene.tar.idx"),
        ("^^.idx", "scene.idx"),
        ("^^^.idx", "scene.idx"),
        ("_more", "scene.tar.gz_more"),
        ("^", "scene.tar"),
        ("", "scene.tar.gz"),
    ],
)
def test_each_caret_takes_one_extension_off(pattern: str, name: str) -> None:
    assert apply_pattern("scene.tar.gz", pattern) == name


def test_the_dot_of_a_hidden_file_is_no_extension() -> None:
    assert apply_pattern(".hidden", "^.idx") == ".hidden.idx"


SCENE = Memory(
    {
        "/data/scene.tif": "12345",
        "/data/scene.tif.ovr": "1234567",
        "/data/scene.tfw": "123",
        "/data/scene.meta/a.xml": "",
        "/other/scene.tif.ovr": "other",
        "/other/a.prj": "",
    }
)


@pytest.mark.parametrize(
    ("patterns", "found"),
    [
        (".ovr", ["scene.tif.ovr"]),
        ("[.ovr, ^.tfw]", ["scene.tif.ovr", "scene.tfw"]),
        ("[^.tfw, ^.tfw]", ["scene.tfw"]),
        ("[^.meta]", ["scene.meta"]),
        ("[.missing?, ^.tfw?]", ["scene.tfw"]),
        ("[{pattern: .missing, required: false}]", []),
        ("[{pattern: .missing, required: '$(self.size > 5)'}]", []),
        ("[$(self.nameroot).tfw]", ["scene.tfw"]),
        ("['$(self.basename + \".ovr\")']", ["scene.tif.ovr"]),
        (
            '[\'$([self.basename + ".ovr", self.nameroot + ".tfw"])\']',
            ["scene.tif.ovr", "scene.tfw"],
        ),
        ("[$(null)]", []),
        ('[\'${ return {class: "File", location: "file:///other/a.prj"}; }\']', ["a.prj"]),
    ],
)
def test_secondary_files_are_found_beside_their_file(patterns: str, found: list[str]) -> None:
    scene = one_input(f"{{type: File, secondaryFiles: {patterns}}}")
    assert names(told(scene, file("/data/scene.tif"), SCENE)) == found


def test_secondary_files_are_whole_objects() -> None:
    scene = one_input("{type: File, secondaryFiles: [.ovr, ^.meta]}")
    assert told(scene, file("/data/scene.tif"), SCENE)["secondaryFiles"] == [
        file("/data/scene.tif.ovr", size=7),
        directory("/data/scene.meta"),
    ]


@pytest.mark.parametrize(
    "pattern", [".missing", "{pattern: .missing, required: '$(self.size == 5)'}"]
)
def test_a_secondary_file_that_is_missing_is_an_error(pattern: str) -> None:
    scene = one_input(f"{{type: File, secondaryFiles: [{pattern}]}}")
    with pytest.raises(
        StepError, match=r"x: scene\.tif has no secondary file 'scene\.tif\.missing'"
    ):
        told(scene, file("/data/scene.tif"), SCENE)


@pytest.mark.parametrize("pattern", ["$(5)", "$([true])", "$({a: 1})"])
def test_a_pattern_gives_names_or_files(pattern: str) -> None:
    scene = one_input(f"{{type: File, secondaryFiles: ['{pattern}']}}")
    with pytest.raises(StepError, match=r"the secondaryFiles pattern .* gave"):
        told(scene, file("/data/scene.tif"), SCENE)


def test_required_gives_a_boolean() -> None:
    scene = one_input("{type: File, secondaryFiles: [{pattern: .a, required: $(self.size)}]}")
    with pytest.raises(StepError, match=r"secondaryFiles\.required gave 5, not a boolean"):
        told(scene, file("/data/scene.tif"), SCENE)


def test_expressions_see_the_names_of_all_input_files() -> None:
    scene = one_input("{type: File, secondaryFiles: [$(inputs.x.nameroot).tfw]}")
    assert names(told(scene, file("/data/scene.tif"), SCENE)) == ["scene.tfw"]


def test_secondary_files_that_were_given_stay_and_are_not_looked_for() -> None:
    scene = one_input("{type: File, secondaryFiles: [.ovr, ^.tfw]}")
    given = file("/data/scene.tif", secondaryFiles=[file("/other/scene.tif.ovr")])
    assert told(scene, given, SCENE)["secondaryFiles"] == [
        file("/other/scene.tif.ovr", size=5),
        file("/data/scene.tfw", size=3),
    ]


def test_secondary_files_that_were_given_have_their_size() -> None:
    given = file("/data/scene.tif", secondaryFiles=[file("/data/scene.tfw")])
    (beside,) = told(one_input("{type: File, secondaryFiles: [^.tfw]}"), given, SCENE)[
        "secondaryFiles"
    ]
    assert beside == file("/data/scene.tfw", size=3)


def test_what_an_expression_says_of_a_secondary_file_takes_precedence() -> None:
    """CWL v1.2 SecondaryFileSchema.pattern."""
    renamed = "$({class: 'File', location: self.secondaryFiles[0].location, basename: 'b.tfw'})"
    scene = one_input(f'{{type: File, secondaryFiles: ["{renamed}"]}}')
    given = file("/data/scene.tif", secondaryFiles=[file("/data/scene.tfw")])
    assert names(told(scene, given, SCENE)) == ["b.tfw"]


def test_between_steps_a_file_has_what_it_was_sent_with() -> None:
    scene = one_input("{type: File, secondaryFiles: [.ovr]}")
    for beside in ([], [file("/other/scene.tif.ovr", size=5)]):
        sent = file("/data/scene.tif", secondaryFiles=beside)
        assert told(scene, sent, SCENE, discover=False)["secondaryFiles"] == beside
    with pytest.raises(StepError, match="has no secondary file"):
        told(scene, file("/data/scene.tif"), SCENE, discover=False)


def test_before_v1_2_patterns_are_written_the_same_way() -> None:
    scene = one_input("{type: File, secondaryFiles: [.ovr, ^.tfw]}", "v1.0")
    assert names(told(scene, file("/data/scene.tif"), SCENE)) == ["scene.tif.ovr", "scene.tfw"]


def test_in_v1_0_a_question_mark_is_part_of_the_name() -> None:
    disk = Memory({"/data/scene.tif": "", "/data/scene.tif.ovr?": ""})
    for version, found in (("v1.0", ["scene.tif.ovr?"]), ("v1.1", []), ("v1.2", [])):
        scene = one_input("{type: File, secondaryFiles: ['.ovr?']}", version)
        assert names(told(scene, file("/data/scene.tif"), disk)) == found


def test_every_file_of_an_array_has_its_secondary_files() -> None:
    disk = Memory({f"/data/{name}": "" for name in ("a.tif", "a.tfw", "b.tif", "b.tfw")})
    scenes = one_input("{type: 'File[]', secondaryFiles: ^.tfw}")
    found = told(scenes, [file("/data/a.tif"), file("/data/b.tif")], disk)
    assert [names(one) for one in found] == [["a.tfw"], ["b.tfw"]]


def test_the_fields_of_a_record_have_their_own_secondary_files() -> None:
    record = """
      type:
        type: record
        fields:
          scene: {type: File, secondaryFiles: ^.tfw}
          note: string
          other: File?
    """
    given = {"scene": file("/data/scene.tif"), "note": "n", "more": 1}
    found = told(tool(f"inputs:\n  x:{record}"), given, SCENE)
    assert names(found["scene"]) == ["scene.tfw"]
    assert (found["note"], found["other"], found["more"]) == ("n", None, 1)


# Contents


LIMIT = 64 * 1024


@pytest.mark.parametrize("port", ["{type: File, loadContents: true}"])
@pytest.mark.parametrize("version", ["v1.1", "v1.2"])
def test_contents_are_loaded_if_they_are_asked_for(port: str, version: str) -> None:
    disk = Memory({"/data/a.txt": "gr\u00fc\u00df dich\n"})
    assert (
        told(one_input(port, version), file("/data/a.txt"), disk)["contents"]
        == "gr\u00fc\u00df dich\n"
    )
    assert "contents" not in told(one_input("File"), file("/data/a.txt"), disk)


def test_v1_0_asks_for_contents_in_the_binding() -> None:
    port = "{type: File, inputBinding: {loadContents: true}}"
    disk = Memory({"/data/a.txt": "text"})
    assert told(one_input(port, "v1.0"), file("/data/a.txt"), disk)["contents"] == "text"


def test_contents_of_exactly_the_limit_are_loaded() -> None:
    disk = Memory({"/data/a.txt": "a" * LIMIT})
    found = told(one_input("{type: File, loadContents: true}"), file("/data/a.txt"), disk)
    assert found["contents"] == "a" * LIMIT


def test_since_v1_2_larger_contents_are_an_error() -> None:
    disk = Memory({"/data/a.txt": "a" * (LIMIT + 1)})
    with pytest.raises(StepError, match=r"a\.txt is larger than 64 KiB"):
        told(one_input("{type: File, loadContents: true}"), file("/data/a.txt"), disk)


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
def test_before_v1_2_larger_contents_are_cut_off(version: str) -> None:
    disk = Memory({"/data/a.txt": "a" * (LIMIT + 1)})
    port = "{type: File, inputBinding: {loadContents: true}}"
    found = told(one_input(port, version), file("/data/a.txt"), disk)
    assert found["contents"] == "a" * LIMIT


def test_a_file_made_of_text_has_its_contents() -> None:
    literal = {"class": "File", "basename": "a", "contents": "text"}
    port = "{type: 'File[]', loadContents: true}"
    assert told(one_input(port), [literal], Memory())[0]["contents"] == "text"


def test_a_file_made_of_text_has_a_size() -> None:
    literal = {"class": "File", "basename": "a", "contents": "h\u00e9"}
    assert told(one_input("File"), literal, Memory())["size"] == 3


# Listings


FOLDER = Memory({"/data/d/a.txt": "a", "/data/d/e/b.txt": "bb", "/data/d/.h": ""}, ["/data/d/f"])
SHALLOW = [
    file("/data/d/.h", size=0),
    file("/data/d/a.txt", size=1),
    directory("/data/d/e"),
    directory("/data/d/f"),
]
DEEP = [
    *SHALLOW[:2],
    directory("/data/d/e", listing=[file("/data/d/e/b.txt", size=2)]),
    directory("/data/d/f", listing=[]),
]


@pytest.mark.parametrize(
    ("port", "version", "requirement", "listing"),
    [
        ("Directory", "v1.2", "", None),
        ("Directory", "v1.1", "", None),
        ("Directory", "v1.0", "", DEEP),
        ("{type: Directory, loadListing: no_listing}", "v1.2", "", None),
        ("{type: Directory, loadListing: shallow_listing}", "v1.2", "", SHALLOW),
        ("{type: Directory, loadListing: deep_listing}", "v1.2", "", DEEP),
        ("Directory", "v1.2", "{loadListing: shallow_listing}", SHALLOW),
        ("Directory", "v1.1", "{loadListing: deep_listing}", DEEP),
        ("Directory", "v1.2", "{}", None),
        (
            "{type: Directory, loadListing: shallow_listing}",
            "v1.2",
            "{loadListing: deep_listing}",
            SHALLOW,
        ),
    ],
)
def test_directories_are_listed_as_far_as_is_asked_for(
    port: str, version: str, requirement: str, listing: Any
) -> None:
    more = f", LoadListingRequirement: {requirement}" if requirement else ""
    found = told(one_input(port, version, more), directory("/data/d"), FOLDER)
    assert found.get("listing") == listing


def test_a_link_that_leads_nowhere_is_not_listed() -> None:
    disk = Memory({"/data/d/a": ""}, links={"/data/d/broken": "/nowhere", "/data/d/link": "a"})
    found = told(
        one_input("{type: Directory, loadListing: deep_listing}"), directory("/data/d"), disk
    )
    assert [one["basename"] for one in found["listing"]] == ["a", "link"]


def test_a_listing_that_was_given_stays() -> None:
    given = directory("/data/d", listing=[file("/data/d/a.txt")])
    for port in ("Directory", "{type: Directory, loadListing: shallow_listing}"):
        found = told(one_input(port), given, FOLDER)
        assert found["listing"] == [file("/data/d/a.txt", size=1)]


# Formats


FORMATS = """
@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> .
@prefix owl: <http://www.w3.org/2002/07/owl#> .
@prefix f: <http://example.org/formats#> .
f:cog rdfs:subClassOf f:geotiff .
f:geotiff rdfs:subClassOf f:tiff .
f:gtiff owl:equivalentClass f:geotiff .
"""
RASTER = """
cwlVersion: v1.2
class: CommandLineTool
$namespaces: {f: "http://example.org/formats#"}
%s
requirements: {InlineJavascriptRequirement: {}}
inputs: {x: {type: File, format: %s}}
outputs: []
"""


def raster(wanted: str, schemas: str = "$schemas: [formats.ttl]") -> Tool:
    made = process(RASTER % (schemas, wanted), {"formats.ttl": FORMATS})
    assert isinstance(made, Tool)
    return made


def scene(kind: str) -> dict[str, Any]:
    return file("/data/a.tif", format=f"http://example.org/formats#{kind}")


DISK = Memory({"/data/a.tif": ""})


@pytest.mark.parametrize(
    ("wanted", "have"),
    [
        ("f:tiff", "tiff"),
        ("f:tiff", "geotiff"),
        ("f:tiff", "cog"),
        ("f:geotiff", "gtiff"),
        ("f:gtiff", "cog"),
        ("[f:png, f:tiff]", "cog"),
        ("'$([\"http://example.org/formats#tiff\"])'", "tiff"),
    ],
)
def test_a_format_is_that_which_is_wanted_or_one_below_it(wanted: str, have: str) -> None:
    assert told(raster(wanted), scene(have), DISK)["format"].endswith(have)


@pytest.mark.parametrize(
    ("wanted", "have"), [("f:png", "tiff"), ("f:cog", "tiff"), ("[f:png]", "cog")]
)
def test_another_format_is_an_error(wanted: str, have: str) -> None:
    with pytest.raises(
        StepError, match=rf"x: a\.tif is http://example.org/formats#{have}, expected"
    ):
        told(raster(wanted), scene(have), DISK)


def test_without_an_ontology_formats_are_compared_as_they_are() -> None:
    assert told(raster("f:cog", ""), scene("cog"), DISK)
    with pytest.raises(StepError, match=r"formats#cog, expected .*formats#tiff"):
        told(raster("f:tiff", ""), scene("cog"), DISK)


def test_a_file_without_a_format_is_an_error_where_one_is_wanted() -> None:
    with pytest.raises(StepError, match=r"x: a\.tif has no format, expected .*formats#tiff"):
        told(raster("f:tiff"), file("/data/a.tif"), DISK)


def test_a_format_expression_gives_texts() -> None:
    with pytest.raises(StepError, match="format gave 5, not a string or array of them"):
        told(raster("$(5)"), scene("tiff"), DISK)


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_contents_that_are_no_text_are_an_error(version: str) -> None:
    port = one_input("{type: File, inputBinding: {loadContents: true}}", version)
    with pytest.raises(StepError, match=r"a\.txt is not text in UTF-8.*byte 2"):
        told(port, file("/data/a.txt"), Memory({"/data/a.txt": b"ok\xff"}))


@pytest.mark.parametrize("version", ["v1.0", "v1.1"])
@pytest.mark.parametrize("before", range(4))
def test_before_v1_2_no_character_is_cut_in_two(version: str, before: int) -> None:
    text = "a" * (LIMIT - before) + "\U0001f30d" * 10
    port = one_input("{type: File, inputBinding: {loadContents: true}}", version)
    found = told(port, file("/data/a.txt"), Memory({"/data/a.txt": text}))["contents"]
    assert found == "a" * (LIMIT - before)


def test_half_a_character_at_the_end_is_no_text() -> None:
    port = one_input("{type: File, loadContents: true}")
    with pytest.raises(StepError, match="is not text in UTF-8"):
        told(port, file("/data/a.txt"), Memory({"/data/a.txt": "\u00e9".encode()[:1]}))


# Files anywhere


def test_files_anywhere_have_their_size() -> None:
    disk = Memory({"/data/a.txt": "12345"})
    given, seen = file("/data/a.txt"), file("/data/a.txt", size=5)
    assert told(one_input("Any"), {"a": [{"b": given}]}, disk) == {"a": [{"b": seen}]}
    record = one_input("{type: {type: record, fields: {a: int}}}")
    assert told(record, {"a": 1, "b": {"c": given}}, disk) == {"a": 1, "b": {"c": seen}}


@pytest.mark.parametrize("kind", ["Any", "File"])
def test_files_beside_files_are_there(kind: str) -> None:
    given = file("/data/a.txt", secondaryFiles=[file("/data/b.txt")])
    with pytest.raises(StepError, match=r"/data/b\.txt does not exist"):
        told(one_input(kind), given, Memory({"/data/a.txt": ""}))


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
@pytest.mark.parametrize("listing", ["no_listing", "shallow_listing", "deep_listing"])
def test_what_a_folder_lists_stays_whatever_is_loaded(version: str, listing: str) -> None:
    port = "Directory" if version == "v1.0" else f"{{type: Directory, loadListing: {listing}}}"
    made = {"class": "File", "basename": "new", "contents": "new"}
    given = directory("/data/d", listing=[directory("/data/d/e"), made])
    disk = Memory({"/data/d/e/f": "", "/data/d/g": ""})
    inner, outer = told(one_input(port, version), given, disk)["listing"]
    assert outer == {**made, "size": 3}
    deep = listing == "deep_listing" or version == "v1.0"
    assert ("listing" in inner) is deep
