"""``localproc mirror``, and jobs that are offline."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.terminal import localproc
from tests.storage.website import Site, serving

READS = """
cwlVersion: v1.2
class: CommandLineTool
id: reads
inputs: {table: {type: File, inputBinding: {}}}
outputs: {said: stdout}
baseCommand: cat
"""


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as site:
        site.add("/table.csv", b"a,b")
        yield site


def test_what_was_mirrored_is_moved_and_used(here: Path, site: Site) -> None:
    (here / "reads.cwl").write_text(READS)
    uri = f"{site.root}/table.csv"
    assert localproc("run", "reads.cwl", f"table={uri}").code == 0
    said = localproc("mirror", "export", "mirror.tar", "--job", "last")
    assert said.out == "mirror.tar: 1 object, 1 job\n"
    assert uri in localproc("mirror", "list").out
    assert localproc("mirror", "verify").out == "1 object, 0 damaged\n"
    site.pages.clear()
    site.asked.clear()
    imported = localproc("--home", "elsewhere", "mirror", "import", "mirror.tar")
    command = imported.out.splitlines()[-1].split()
    assert command[:4] == ["localproc", "run", "--offline", "always"]
    assert localproc("--home", "elsewhere", *command[1:]).code == 0
    assert [one.read_bytes() for one in here.glob("elsewhere/results/*/said*")] == [b"a,b"]
    assert site.asked == []


def test_what_is_not_mirrored_is_told_with_the_command_that_brings_it(
    here: Path, site: Site
) -> None:
    (here / "reads.cwl").write_text(READS)
    uri = f"{site.root}/table.csv"
    said = localproc("run", "--offline", "always", "reads.cwl", f"table={uri}")
    assert said.code == 1
    assert f"{uri} is not kept here" in said.err
    assert f"localproc mirror add {uri}" in said.err
    assert site.asked == []
    assert localproc("mirror", "add", uri).code == 0
    assert localproc("run", "--offline", "always", "reads.cwl", f"table={uri}").code == 0
    assert localproc("mirror", "remove", uri).code == 0
    assert localproc("mirror", "verify").out == "0 objects, 0 damaged\n"


def test_damage_is_told(here: Path, home: Path, site: Site) -> None:
    localproc("mirror", "add", f"{site.root}/table.csv")
    (blob,) = (one for one in home.glob("cache/inputs/blobs/*/*"))
    blob.write_bytes(b"other")
    said = localproc("mirror", "verify")
    assert said.code == 1
    assert f"{site.root}/table.csv: its bytes are others" in said.out
    assert localproc("mirror", "import", str(blob)).code == 2
