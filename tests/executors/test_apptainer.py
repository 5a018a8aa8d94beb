"""How Apptainer and Singularity are called, with a program in their place that writes it down."""

import csv
import os
import re
import stat
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from localproc.errors import EnvironmentProblem, ImageError
from localproc.executors.containers.apptainer import Apptainer
from localproc.executors.veiled import veiled
from localproc.model import Container, Mount, Resources, Secrets, Task
from localproc.plugins.containers import ContainerSettings, Image
from tests import container_image

#: Writes down each call, and makes the file that a pull or a build is to make.
FAKE = """\
#!/bin/sh
printf '%s|' "$@" >> "$CALLS"; echo >> "$CALLS"
case $1 in
  --version) echo "apptainer version 1.3.4" ;;
  pull|build) sleep 0.1; printf '#!/usr/bin/env run-singularity %s' "$3" > "$2" ;;
esac
"""


@pytest.fixture(params=["apptainer", "singularity"])
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def calls(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Put the fake on the path; give the file of its calls."""
    program = tmp_path / "bin" / name
    program.parent.mkdir()
    program.write_text(FAKE)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("CALLS", str(tmp_path / "calls"))
    return tmp_path / "calls"


@pytest.fixture
def runtime(name: str, calls: Path, tmp_path: Path) -> Apptainer:
    del calls
    return Apptainer(name, ContainerSettings(str(tmp_path / "images")))


def task(**fields: object) -> Task:
    box = Container("debian:12", "/work/out", mounts=(Mount("/in/a", "/etc/a"),), runtime="any")
    known: dict[str, object] = {
        "key": "k",
        "argv": ("cat", "a b"),
        "env": {"HOME": "/work/out", "TMPDIR": "/work/tmp", "WORD": "it's"},
        "outdir": "/work/out",
        "tmpdir": "/work/tmp",
        "stdin": None,
        "stdout": "/log/out",
        "stderr": "/log/err",
        "container": box,
        "reads": ("/data/in.txt",),
        "writes": ("/data/own",),
    }
    return Task(**{**known, **fields})  # type: ignore[arg-type]


def test_a_task_becomes_a_call(runtime: Apptainer, name: str) -> None:
    image = runtime.pull("debian:12", "debian:12")
    found = runtime.command(task(), image)
    assert found.container is None
    words = list(found.argv)
    assert Path(words[0]).name == name
    assert words[1:] == [
        *("--quiet", "run", "--contain", "--ipc", "--cleanenv"),
        *(("--no-privs", "--add-caps", "CAP_DAC_OVERRIDE") if os.getuid() == 0 else ()),
        *("--net", "--network", "none"),
        *("--home", "/work/out:/work/out", "--bind", "/work/tmp:/tmp:rw"),
        *("--bind", "/data/in.txt:/data/in.txt:ro", "--bind", "/data/own:/data/own:rw"),
        *("--bind", "/in/a:/etc/a:ro", "--bind", "/work/out:/work/out:rw"),
        *("--bind", "/work/tmp:/work/tmp:rw"),
        *("--pwd", "/work/out", image.path, "cat", "a b"),
    ]
    prefix = f"{name.upper()}ENV_"
    assert {key: value for key, value in found.env.items() if key.startswith(prefix)} == {
        f"{prefix}TMPDIR": "/work/tmp",
        f"{prefix}WORD": "it's",
    }
    assert found.env[f"{name.upper()}_NO_EVAL"] == "1"


@pytest.mark.parametrize("uid", [0, 1000])
def test_root_may_do_no_more_than_write_to_files(
    runtime: Apptainer, monkeypatch: pytest.MonkeyPatch, uid: int
) -> None:
    """These programs let root keep all capabilities unless told; others never have any."""
    monkeypatch.setattr(os, "getuid", lambda: uid)
    words = runtime.command(task(), Image("debian:12", "/images/debian.sif")).argv
    given = [value for option, value in pairwise(words) if option == "--add-caps"]
    assert ("--no-privs" in words, given) == (
        (True, ["CAP_DAC_OVERRIDE"]) if not uid else (False, [])
    )


def test_network_and_devices_are_given_to_those_that_ask(runtime: Apptainer) -> None:
    image = runtime.pull("debian:12", "debian:12")
    box = Container("debian:12", "/inside", network=True)
    words = runtime.command(task(container=box, resources=Resources(gpus=1)), image).argv
    assert "--net" not in words
    assert "--nv" in words
    assert words[words.index("--home") + 1] == "/work/out:/inside"


def test_inputs_may_have_any_name(runtime: Apptainer) -> None:
    reads = ("/data/a b.tif", "/data/2020,1.tif", "/data/x^2.tif", '/data/12:00 "x".tif')
    words = runtime.command(task(reads=reads), Image("debian:12", "/images/debian.sif")).argv
    seen = [value for option, value in pairwise(words) if option in ("--bind", "--mount")]
    assert [one for one in seen if "/data/" in one and "own" not in one] == [
        'type=bind,"source=/data/12:00 ""x"".tif","destination=/data/12:00 ""x"".tif",ro',
        'type=bind,"source=/data/2020,1.tif","destination=/data/2020,1.tif",ro',
        "/data/a b.tif:/data/a b.tif:ro",
        'type=bind,"source=/data/x^2.tif","destination=/data/x^2.tif",ro',
    ]


def test_a_home_with_a_colon_is_refused_before_the_program_would(runtime: Apptainer) -> None:
    with pytest.raises(ImageError, match="there is a colon in it") as refused:
        runtime.command(task(outdir="/work/12:00/out"), Image("debian:12", "/images/debian.sif"))
    assert "--home" in refused.value.hint


#: What follows an option of these programs, by the sources of Apptainer 1.5 and SingularityCE 4.5.
TAKES: dict[str, int] = {
    **dict.fromkeys(("--quiet", "--contain", "--ipc", "--cleanenv"), 0),
    **dict.fromkeys(("--net", "--nv", "--no-privs"), 0),
    **dict.fromkeys(("--network", "--home", "--bind", "--mount", "--pwd", "--add-caps"), 1),
}


def parsed(words: Sequence[str]) -> tuple[list[tuple[str, ...]], Sequence[str]]:
    """Return the options of a call as those programs read them, and what comes after."""
    found: list[tuple[str, ...]] = []
    rest = list(words)
    while rest[0].startswith("-"):
        count = TAKES[rest[0]] + 1
        found.append(tuple(rest[:count]))
        del rest[:count]
    return found, rest


def mounted(options: Iterable[tuple[str, ...]]) -> list[tuple[str, str, bool]]:
    """Return source, target and whether it is read-only, as --bind and --mount are read."""
    found = []
    for option, *value in options:
        if option == "--bind":
            source, target, how = re.findall("[^,^:]+", value[0])
            found.append((source, target, how == "ro"))
        elif option == "--mount":
            [fields] = csv.reader([value[0]])
            named = dict(one.partition("=")[::2] for one in fields)
            found.append((named["source"], named["destination"], "ro" in named))
    return found


@pytest.mark.parametrize("place", ["/images/debian.sif", "/images/sand box/"])
@pytest.mark.parametrize("verb", ["run", "exec"])
@pytest.mark.parametrize("path", ["/a,b:c/d", "/a^b", '/it\'s "x"', "/a\\b", "/ ü", "/tmp/h/in"])
def test_a_call_is_read_as_it_was_meant(
    runtime: Apptainer, name: str, place: str, verb: str, path: str
) -> None:
    meant = task(
        argv=("sh", "-c", 'echo "$HOME"', "--nv", "--bind"),
        outdir="/tmp/h/out",
        container=Container("debian:12", "/tmp/h/out"),
        reads=(path,),
        resources=Resources(gpus=1),
    )
    image = Image("debian:12", place, path=place)
    made: Callable[[Task, Image], Task] = runtime.command
    if verb == "exec":
        made = partial(runtime.shell, terminal=True)
    found = made(meant, image)
    quiet, (said, *rest) = parsed(found.argv[1:])
    assert (quiet, said) == ([("--quiet",)], verb)
    options, command = parsed(rest)
    assert command == [place, *meant.argv]
    assert {("--nv",), ("--net",), ("--network", "none"), ("--pwd", "/tmp/h/out")} <= set(options)
    seen = mounted(options)
    assert (path, path, True) in seen
    assert seen.index(("/work/tmp", "/tmp", False)) < seen.index(
        ("/tmp/h/out", "/tmp/h/out", False)
    )


def test_an_image_is_pulled_once_by_many_who_want_it(
    runtime: Apptainer, name: str, calls: Path, tmp_path: Path
) -> None:
    others = [Apptainer(name, ContainerSettings(str(tmp_path / "images"))) for _ in range(4)]
    threads = [
        threading.Thread(target=one.pull, args=("debian:12", "docker.io/debian:12"))
        for one in (runtime, *others)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert calls.read_text().count("docker://debian:12") == 1
    assert [one.name for one in runtime.images()] == ["debian:12"]


def test_an_image_keeps_its_digest_and_a_changed_one_gets_another(runtime: Apptainer) -> None:
    image = runtime.pull("debian:12", "debian:12")
    box = Container("docker.io/library/debian:12", "")
    assert runtime.image(box) is not None
    assert image.digest.startswith("sha256:")
    assert runtime.images() == [image]
    Path(image.path).write_bytes(b"another one")
    again = runtime.image(box)
    assert again is not None
    assert again.digest != image.digest


def test_archives_are_converted_and_single_files_taken_as_they_are(
    runtime: Apptainer, calls: Path, tmp_path: Path
) -> None:
    (root := tmp_path / "root").mkdir()
    archive = container_image.archive(container_image.busybox(root), tmp_path / "a.tar", "box:1")
    image = runtime.load(str(archive), "")
    assert image.name == "box:1"
    assert f"docker-archive:{archive}" in calls.read_text()
    runtime.save(image, str(tmp_path / "box.sif"))
    assert runtime.load(str(tmp_path / "box.sif"), "again:1").digest == image.digest


def test_what_cannot_be_had_is_said(runtime: Apptainer, name: str, tmp_path: Path) -> None:
    assert runtime.image(Container("nobody/has:1", "")) is None
    load, options = "localproc images load", f"--containers {name}"
    told = {
        Container("has:1", ""): f"localproc images pull has:1 {options}",
        Container("has:1", "", load="/a b"): f"{load} '/a b' --name has:1 {options}",
        Container("has:1", "", imported="/a"): f"{load} /a --root --name has:1 {options}",
    }
    assert {box: runtime.brings(box) for box in told} == told
    assert runtime.brings(Container("b", "", build="FROM x")).startswith("docker build --tag b")
    with pytest.raises(ImageError, match="cannot build"):
        runtime.build("FROM x", "y")
    with pytest.raises(ImageError, match="cannot be read as an image"):
        runtime.load(str(tmp_path / "nothing"), "x")
    assert runtime.version() == "apptainer version 1.3.4"


def test_a_program_that_is_not_there_is_missed(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentProblem, match="no-apptainer is not on this machine"):
        Apptainer("no-apptainer", ContainerSettings(str(tmp_path)))


def test_secrets_have_names_by_which_they_come_through(runtime: Apptainer, name: str) -> None:
    secrets = Secrets({"TOKEN": ("token", "very secret")}, {"db": "more so"})
    boxed = runtime.command(task(secrets=secrets), Image("debian:12", "/images/debian.sif"))
    assert "very secret" not in repr(boxed)
    argv, env = veiled(boxed)
    assert env[f"{name.upper()}ENV_TOKEN"] == "very secret"
    assert "TOKEN" not in env
    assert argv[-2:] == ["cat", "a b"]
