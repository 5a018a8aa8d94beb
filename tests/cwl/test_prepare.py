"""From a tool and its inputs to the task that runs it: resources, environment, streams."""

import math
from typing import Any

import pytest

from localproc.cwl.run.prepare import Prepared, prepare
from localproc.errors import StepError, UnsupportedPackage
from localproc.model import Mount, Resources
from tests.cwl.memory import FOLDERS, Memory, file, runnable

DISK = Memory({"/data/a.txt": "x" * 3000, "/data/b.txt": ""})


def prepared(
    text: str, inputs: dict[str, Any] | None = None, version: str = "v1.2", **options: Any
) -> Prepared:
    return prepare(
        runnable(text, version), inputs or {}, FOLDERS, DISK, {"PATH": "/bin"}, **options
    )


def requiring(requirement: str, version: str = "v1.2", **inputs: Any) -> Prepared:
    text = f"requirements: {{{requirement}}}\ninputs: {{x: Any?}}\nbaseCommand: a"
    return prepared(text, inputs, version)


# Files that it may only read


def test_what_is_linked_into_the_working_directory_is_watched_without_any_input() -> None:
    listing = "listing: [{class: File, location: 'file:///data/a.txt'}]"
    given = requiring(f"InitialWorkDirRequirement: {{{listing}}}").given
    assert given.files["/data/a.txt"].stat.size == 3000
    assert not prepared("baseCommand: a").given.files


# Resources


@pytest.mark.parametrize(("version", "ram"), [("v1.0", 1024), ("v1.1", 256), ("v1.2", 256)])
def test_a_tool_that_asks_for_nothing_gets_the_default(version: str, ram: int) -> None:
    assert prepared("baseCommand: a", version=version).resources == Resources(1, ram, 1024, 1024)


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("coresMin: 2", Resources(cores=2)),
        ("coresMax: 4", Resources(cores=4, cores_max=4)),
        ("coresMin: 2, coresMax: 4", Resources(cores=2, cores_max=4)),
        ("coresMin: 0.5", Resources(cores=0.5)),
        (
            "ramMin: 2048, tmpdirMin: 1, outdirMin: 5",
            Resources(ram=2048, ram_max=2048, tmpdir=1, outdir=5),
        ),
        ("ramMin: 100.2", Resources(ram=101, ram_max=101)),
        ("ramMin: 100, ramMax: 300", Resources(ram=100, ram_max=300)),
        ("coresMin: $(inputs.x)", Resources(cores=3)),
    ],
)
def test_a_tool_gets_at_least_what_it_asks_for(asked: str, expected: Resources) -> None:
    assert requiring(f"ResourceRequirement: {{{asked}}}", x=3).resources == expected


def test_resources_may_depend_on_the_size_of_files() -> None:
    asked = "ResourceRequirement: {ramMin: $(inputs.x.size)}"
    assert requiring(asked, x=file("/data/a.txt")).resources.ram == 3000


@pytest.mark.parametrize("value", ["many", True, -1, None, [1], math.nan, math.inf])
def test_resources_are_numbers(value: Any) -> None:
    if value is None:
        assert requiring("ResourceRequirement: {ramMin: $(inputs.x)}", x=value).resources.ram == 256
        return
    with pytest.raises(StepError, match="ramMin is"):
        requiring("ResourceRequirement: {ramMin: $(inputs.x)}", x=value)


def test_no_more_than_the_least_is_an_error() -> None:
    """CWL v1.2 ResourceRequirement: "It is an error if max < min"."""
    asked = "ResourceRequirement: {coresMin: 1.5, coresMax: $(inputs.x)}"
    assert requiring(asked, x=1.5).resources.cores == 1.5
    with pytest.raises(StepError, match=r"coresMax is 1, which is less than coresMin, 1\.5"):
        requiring(asked, x=1)


def test_a_tool_is_told_what_it_got() -> None:
    found = requiring("ResourceRequirement: {coresMin: 1.5, ramMin: 300}")
    assert found.context.runtime == {
        "outdir": "/out",
        "tmpdir": "/tmp/task",
        "cores": 2,
        "ram": 300,
        "outdirSize": 1024,
        "tmpdirSize": 1024,
    }


def test_resources_may_depend_on_the_names_of_files() -> None:
    needs = "ResourceRequirement: {coresMin: \"$(inputs.x.nameext == '.txt' ? 3 : 1)\"}"
    found = requiring(f"InlineJavascriptRequirement: {{}}, {needs}", x=file("/data/a.txt"))
    assert found.resources.cores == 3


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ("arguments: []", "main has no command"),
        ("arguments: [a, $('b\\0')]", "has a NUL character in it"),
        ("arguments: [a, $('\\ud83d')]", "has a lone surrogate in it"),
        ("stdout: $('b\\0')", "not a name in the output directory"),
    ],
)
def test_what_no_system_could_start_is_told(fields: str, message: str) -> None:
    text = f"requirements: {{InlineJavascriptRequirement: {{}}}}\n{fields}"
    with pytest.raises(StepError, match=message):
        prepared(text if "arguments" in fields else f"baseCommand: a\n{text}")


@pytest.mark.parametrize("name", ["''", "A=B"])
def test_variables_have_names(name: str) -> None:
    with pytest.raises(StepError, match="cannot be the name of a variable"):
        requiring(f"EnvVarRequirement: {{envDef: [{{envName: {name}, envValue: x}}]}}")


def test_a_tool_may_have_a_time_limit() -> None:
    assert prepared("baseCommand: a").resources.time == 0
    assert requiring("ToolTimeLimit: {timelimit: $(inputs.x)}", x=90).resources.time == 90
    for value in (-1, "long", True, math.nan, math.inf):
        with pytest.raises(StepError, match="timelimit is"):
            requiring("ToolTimeLimit: {timelimit: $(inputs.x)}", x=value)


# Environment


def test_a_tool_sees_the_base_environment_and_its_own_folders() -> None:
    expected = {"PATH": "/bin", "HOME": "/out", "TMPDIR": "/tmp/task"}
    assert prepared("baseCommand: a").env == expected


@pytest.mark.parametrize(
    "definition",
    [
        "{A: one, B: $(inputs.x)}",
        "[{envName: A, envValue: one}, {envName: B, envValue: $(inputs.x)}]",
    ],
)
def test_variables_are_set(definition: str) -> None:
    env = requiring(f"EnvVarRequirement: {{envDef: {definition}}}", x="two").env
    assert (env["A"], env["B"]) == ("one", "two")


def test_the_value_of_a_variable_is_a_text() -> None:
    with pytest.raises(StepError, match="the variable A is 5, not a string"):
        requiring("EnvVarRequirement: {envDef: {A: $(inputs.x)}}", x=5)


# Streams


def test_streams_are_files_in_the_output_directory() -> None:
    found = prepared("stdin: in.txt\nstdout: out.txt\nstderr: logs/err.txt")
    assert (found.stdin, found.stdout, found.stderr) == (
        "/out/in.txt",
        "/out/out.txt",
        "/out/logs/err.txt",
    )


def test_streams_of_which_nothing_is_said_are_none() -> None:
    found = prepared("baseCommand: a")
    assert (found.stdin, found.stdout, found.stderr) == (None, None, None)


def test_streams_may_be_expressions() -> None:
    text = "inputs: {x: File}\nstdin: $(inputs.x.path)\nstdout: $(inputs.x.nameroot).out"
    found = prepared(text, {"x": file("/data/a.txt")})
    assert (found.stdin, found.stdout) == ("/data/a.txt", "/out/a.out")


@pytest.mark.parametrize("name", ["x", "my-in", "my.in", "\u00fc x", "it's"])
def test_an_input_may_be_the_stdin(name: str) -> None:
    found = prepared(f'inputs: {{"{name}": stdin}}', {name: file("/data/a.txt")})
    assert found.stdin == "/data/a.txt"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_an_output_that_is_a_stream_has_a_name_of_its_own(stream: str) -> None:
    found = prepared(f"outputs: {{said: {stream}}}")
    name = found.stdout if stream == "stdout" else found.stderr
    assert name is not None
    assert name.startswith("/out/said_")
    assert found.tool.outputs[0].spec["outputBinding"]["glob"] == name.removeprefix("/out/")
    again = prepared(f"outputs: {{said: {stream}}}")
    assert (found.stdout, found.stderr) == (again.stdout, again.stderr)


@pytest.mark.parametrize("name", ["/tmp/out.txt", "../out.txt", "a/../../out.txt", ""])
def test_streams_stay_in_the_output_directory(name: str) -> None:
    text = "inputs: {x: string}\n%s: $(inputs.x)"
    for stream in ("stdout", "stderr"):
        with pytest.raises(StepError, match=f"{stream} is .*, not a name in the output directory"):
            prepared(text % stream, {"x": name})


def test_streams_are_texts() -> None:
    for stream in ("stdin", "stdout", "stderr"):
        with pytest.raises(StepError, match=f"{stream} is 5, not a"):
            prepared(f"inputs: {{x: int}}\n{stream}: $(inputs.x)", {"x": 5})


# Inputs


def test_inputs_of_another_type_are_refused() -> None:
    with pytest.raises(StepError, match="x: expected int, got string 'five'"):
        prepared("inputs: {x: int}", {"x": "five"})


def test_defaults_reach_the_command_line() -> None:
    text = "baseCommand: a\ninputs: {x: {type: int, default: 0, inputBinding: {}}}"
    assert prepared(text).argv == ("a", "0")


# Containers

DOCKER = "DockerRequirement: {dockerPull: 'debian:12'}"


def test_a_required_container_is_refused_where_there_are_none() -> None:
    with pytest.raises(UnsupportedPackage, match="main requires a container"):
        requiring(DOCKER)


def test_a_hinted_container_is_gone_without_where_there_are_none() -> None:
    assert prepared(f"hints: {{{DOCKER}}}\nbaseCommand: a").container is None


@pytest.mark.parametrize(
    ("version", "access", "network"),
    [
        ("v1.0", "", True),
        ("v1.1", "", False),
        ("v1.2", "", False),
        ("v1.2", ", NetworkAccess: {networkAccess: true}", True),
        ("v1.2", ", NetworkAccess: {networkAccess: false}", False),
    ],
)
def test_a_container_is_asked_for(version: str, access: str, network: bool) -> None:
    text = f"requirements: {{{DOCKER}{access}}}\nbaseCommand: a"
    container = prepared(text, version=version, containers=True).container
    assert container is not None
    assert (container.image, container.pull) == ("debian:12", "debian:12")
    assert (container.outdir, container.network) == ("/out", network)


def contained(docker: str, text: str = "baseCommand: a", **inputs: Any) -> Prepared:
    text = f"requirements: {{DockerRequirement: {{{docker}}}}}\n{text}"
    return prepared(text, inputs, containers=True)


@pytest.mark.parametrize(
    ("docker", "message"),
    [
        ("{}", "names no image"),
        ("{dockerPull: a, dockerOutputDirectory: out}", "not an absolute path"),
        ("{dockerPull: a, dockerOutputDirectory: /}", "not an absolute path"),
    ],
)
def test_a_container_needs_an_image_and_a_place(docker: str, message: str) -> None:
    with pytest.raises(UnsupportedPackage, match=message):
        contained(docker[1:-1])


def test_the_id_of_an_image_wins() -> None:
    box = contained("dockerPull: registry/a, dockerImageId: b, dockerFile: FROM c").container
    assert box is not None
    assert (box.image, box.pull) == ("b", "registry/a")


SHM = (
    "$namespaces: {cwltool: http://commonwl.org/cwltool#}\nhints: {cwltool:ShmSize: {shmSize: %s}}"
)


@pytest.mark.parametrize(("size", "expected"), [("64m", 64 << 20), ("1G", 1 << 30), ("512", 512)])
def test_shared_memory_has_the_size_that_is_asked_for(size: str, expected: int) -> None:
    box = contained("dockerPull: a", f"{SHM % size}\nbaseCommand: a").container
    assert box is not None
    assert box.shm == expected


@pytest.mark.parametrize("size", ["much", "-1m", "0", "1.5g"])
def test_shared_memory_of_no_size_is_told(size: str) -> None:
    with pytest.raises(UnsupportedPackage, match="not a size"):
        contained("dockerPull: a", f"{SHM % size}\nbaseCommand: a")


def test_an_image_that_has_to_be_made_is_called_by_what_it_is_made_of() -> None:
    made = [
        contained("dockerFile: FROM debian").container,
        contained("dockerLoad: image.tar").container,
        contained("dockerImport: image.tar, dockerImageId: mine").container,
    ]
    boxes = [one for one in made if one is not None]
    assert [one.build for one in boxes] == ["FROM debian", "", ""]
    assert [one.load for one in boxes] == ["", "image.tar", ""]
    assert [one.imported for one in boxes] == ["", "", "image.tar"]
    names = [one.image for one in boxes]
    assert names[2] == "mine"
    assert names[0].startswith("localproc/made:")
    assert names[0] != names[1]


def test_a_hinted_container_is_used_where_there_are_some() -> None:
    box = prepared(f"hints: {{{DOCKER}}}\nbaseCommand: a", containers=True).container
    assert box is not None
    assert box.image == "debian:12"


def test_a_container_has_the_path_of_its_image() -> None:
    assert contained("dockerPull: a").env == {"HOME": "/out", "TMPDIR": "/tmp/task"}


def test_an_image_may_have_a_command_itself() -> None:
    empty = "baseCommand: []"
    assert contained("dockerPull: a", empty).argv == ()
    with pytest.raises(StepError, match="has no command"):
        prepared(empty, containers=True)


INSIDE = "dockerPull: a, dockerOutputDirectory: /work/out"


def test_a_tool_sees_its_output_directory_where_it_is_inside() -> None:
    text = "baseCommand: [a, $(runtime.outdir)]\nstdin: /work/out/i\nstdout: o\nstderr: e"
    found = contained(INSIDE, text)
    assert found.container is not None
    assert found.container.outdir == found.env["HOME"] == "/work/out"
    assert found.context.runtime["outdir"] == "/work/out"
    assert (found.stdin, found.stdout, found.stderr) == ("/out/i", "/out/o", "/out/e")


def test_files_that_are_staged_have_their_paths_inside() -> None:
    text = """
requirements:
  DockerRequirement: {dockerPull: a, dockerOutputDirectory: /work/out}
  InitialWorkDirRequirement: {listing: [{entryname: b/c.txt, entry: $(inputs.x)}]}
inputs: {x: {type: File, inputBinding: {}}}
baseCommand: a
"""
    found = prepared(text, {"x": file("/data/a.txt")}, containers=True)
    assert found.argv == ("a", "/work/out/b/c.txt")
    assert [(one.target, one.source) for one in found.stage] == [("/out/b/c.txt", "/data/a.txt")]


def absolute(listing: str, docker: str = "requirements", **inputs: Any) -> Prepared:
    text = f"""
{docker}: {{DockerRequirement: {{dockerPull: a, dockerOutputDirectory: /work/out}}}}
{"hints" if docker == "requirements" else "requirements"}:
  InitialWorkDirRequirement: {{listing: {listing}}}
inputs: {{x: {{type: Any?, inputBinding: {{}}}}}}
baseCommand: a
"""
    return prepared(text, inputs, containers=True)


def test_an_absolute_name_is_a_mount_of_a_container() -> None:
    """CWL v1.2 Dirent, "entryname"."""
    listing = "[{entryname: /etc/a.conf, entry: text}, {entryname: /b/c, entry: $(inputs.x)}]"
    found = absolute(listing, x=file("/data/a.txt"))
    assert found.container is not None
    assert found.container.mounts == (
        Mount("/stage/1/a.conf", "/etc/a.conf", writable=True),
        Mount("/stage/2/c", "/b/c"),
    )
    assert [(one.kind, one.target) for one in found.stage] == [
        ("write", "/stage/1/a.conf"),
        ("link", "/stage/2/c"),
    ]
    assert found.argv == ("a", "/b/c")


def test_what_may_be_written_at_an_absolute_name_is_a_copy() -> None:
    found = absolute(
        "[{entryname: /b/c, entry: $(inputs.x), writable: true}]", x=file("/data/a.txt")
    )
    assert found.container is not None
    assert found.container.mounts == (Mount("/stage/1/c", "/b/c", writable=True),)
    assert [one.kind for one in found.stage] == ["copy"]


def test_secondary_files_of_an_absolute_name_are_mounted_beside_it() -> None:
    beside = file("/data/a.txt", secondaryFiles=[file("/data/b.txt")])
    found = absolute("[{entryname: /b/a.txt, entry: $(inputs.x)}]", x=beside)
    assert found.container is not None
    assert [one.target for one in found.container.mounts] == ["/b/a.txt", "/b/b.txt"]


def test_an_absolute_name_in_the_output_directory_is_no_mount() -> None:
    found = absolute("[{entryname: /work/out/c, entry: text}]")
    assert found.container is not None
    assert found.container.mounts == ()
    assert [one.target for one in found.stage] == ["/out/c"]


def test_an_absolute_name_is_for_tools_that_require_a_container() -> None:
    with pytest.raises(StepError, match="is absolute, which needs a container"):
        absolute("[{entryname: /etc/a.conf, entry: text}]", docker="hints")


def test_two_entries_may_not_have_one_absolute_name() -> None:
    with pytest.raises(StepError, match="two different files would be staged as '/etc/a'"):
        absolute("[{entryname: /etc/a, entry: x}, {entryname: /etc/a, entry: y}]")


@pytest.mark.parametrize("version", ["v1.0", "v1.1", "v1.2"])
def test_a_tool_that_asks_for_nothing_at_all_is_not_told_so(version: str) -> None:
    """CWL v1.2 ResourceRequirement: "must be a non-zero integer"."""
    needs = "ResourceRequirement: {coresMin: 0, ramMin: 0, tmpdirMin: 0, outdirMin: 0}"
    runtime = requiring(needs, version).context.runtime
    assert [runtime[one] for one in ("cores", "ram", "tmpdirSize", "outdirSize")] == [1, 1, 1, 1]


@pytest.mark.parametrize("field", ["stdout", "stderr"])
def test_a_stream_with_a_name_that_is_too_long_is_told_before(field: str) -> None:
    with pytest.raises(StepError, match="too long: it has more than 255 bytes"):
        prepared(f"{field}: {'é' * 128}")
