"""A disk in memory, and documents on it: what the tests of the interpreter run on."""

import hashlib
import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from textwrap import dedent
from typing import Any

from localproc.cwl.base import globs
from localproc.cwl.base.files import Stat
from localproc.cwl.check.check import Findings, check, examine
from localproc.cwl.load.load import Package, read
from localproc.cwl.load.sources import Sources
from localproc.cwl.run.process import Tool, Workflow, compile_package
from localproc.cwl.run.task_layout import Folders
from localproc.engine.packages.well_known import well_known
from localproc.errors import PackageError

MOST_LINKS = 40  #: symbolic links on the way to a file, as with Linux
FOLDERS = Folders(outdir="/out", tmpdir="/tmp/task", stage="/stage")


class Memory:
    """A ``localproc.cwl.base.files.Files``: files, empty folders, symbolic links, pipes."""

    def __init__(
        self,
        files: Mapping[str, str | bytes] | None = None,
        folders: Iterable[str] = (),
        links: Mapping[str, str] | None = None,
        specials: Iterable[str] = (),
    ) -> None:
        self.files = {
            path: data.encode() if isinstance(data, str) else data
            for path, data in (files or {}).items()
        }
        self.links = dict(links or {})
        self.specials = set(specials)
        self.folders = {"/", *folders}
        for path in [*self.files, *self.links, *self.folders]:
            while path != "/":
                path = posixpath.dirname(path)
                self.folders.add(path)

    def realpath(self, path: str) -> str:
        return self._follow(path)[0]

    def _follow(self, path: str) -> tuple[str, int]:
        """Give what a path leads to, and by how many links."""
        real, links = "/", 0
        for part in filter(None, posixpath.normpath(path).split("/")):
            real = posixpath.join(real, part)
            if real in self.links:
                real, more = self._follow(posixpath.join(posixpath.dirname(real), self.links[real]))
                links += 1 + more
        return real, links

    def stat(self, path: str) -> Stat | None:
        real, links = self._follow(path)
        if links > MOST_LINKS:
            return None
        if real in self.folders:
            return Stat(is_dir=True, size=4096)
        if real in self.specials:
            return Stat(is_dir=False, size=0, is_special=True)
        return Stat(is_dir=False, size=len(self.files[real])) if real in self.files else None

    def listdir(self, path: str) -> Sequence[str]:
        folder = self.realpath(path)
        everything = {*self.files, *self.links, *self.folders, *self.specials} - {"/"}
        return sorted(posixpath.basename(one) for one in everything if _parent(one) == folder)

    def glob(self, root: str, pattern: str) -> Sequence[str]:
        return globs.matching(pattern, self.listdir, self._exists, root)

    def _exists(self, path: str) -> bool:
        path = posixpath.normpath(path)
        return path in self.links or self.stat(path) is not None

    def read(self, path: str, most: int = -1) -> bytes:
        data = self.files[self.realpath(path)]
        return data if most < 0 else data[:most]

    def checksum(self, path: str) -> str:
        return sha1(self.read(path))


def _parent(path: str) -> str:
    return posixpath.dirname(path)


def sha1(data: str | bytes) -> str:
    data = data.encode() if isinstance(data, str) else data
    return "sha1$" + hashlib.sha1(data).hexdigest()


def file(path: str, **members: Any) -> dict[str, Any]:
    """Give a File object as it is between steps."""
    return {"class": "File", "location": f"file://{path}", "basename": _name(path), **members}


def directory(path: str, **members: Any) -> dict[str, Any]:
    return {"class": "Directory", "location": f"file://{path}", "basename": _name(path), **members}


def _name(path: str) -> str:
    return posixpath.basename(path)


def package(text: str, others: Mapping[str, str] | None = None, fragment: str = "") -> Package:
    """Load a document that lies at ``/package/main.cwl``, the others beside it."""
    texts = {"main.cwl": text, **(others or {})}
    memory = Memory(
        {posixpath.normpath(f"/package/{name}"): dedent(one) for name, one in texts.items()}
    )

    def fetch(uri: str) -> bytes:
        path = uri.removeprefix("file://")
        if memory.stat(path) is None:
            raise FileNotFoundError(2, "No such file or directory", path)
        return memory.read(path)

    loaded = read(Sources("file:///package/main.cwl", fetch, None, well_known), fragment)
    if loaded.problems:
        check(loaded)  # raises: what did load is checked as well
    return loaded


def process(text: str, others: Mapping[str, str] | None = None) -> Tool | Workflow:
    return compile_package(package(text, others).resolved)


def tool(text: str, version: str = "v1.2", kind: str = "CommandLineTool") -> Tool:
    """Compile a tool from its fields; what it does not say is empty."""
    compiled = process(complete(text, version, kind))
    assert isinstance(compiled, Tool)
    return compiled


def runnable(text: str, version: str = "v1.2") -> Tool:
    """Compile a tool from its fields, with a command if it has none of its own."""
    fields = dedent(text).strip()
    has_command = re.search(r"^(baseCommand|arguments):", fields, re.MULTILINE)
    return tool(fields if has_command else f"baseCommand: a\n{fields}", version)


def workflow(text: str, version: str = "v1.2") -> Workflow:
    compiled = process(complete(text, version, "Workflow"))
    assert isinstance(compiled, Workflow)
    return compiled


def complete(text: str, version: str, kind: str) -> str:
    lines = dedent(text).strip().splitlines()
    fields = {line.partition(":")[0] for line in lines if line and line[0] not in " -}"}
    lines += [f"{one}: []" for one in ("inputs", "outputs") if one not in fields]
    return "\n".join([f"cwlVersion: {version}", f"class: {kind}", *lines])


def findings(text: str, others: Mapping[str, str] | None = None) -> Findings:
    return examine(package(text, others))


def errors(text: str, others: Mapping[str, str] | None = None) -> list[str]:
    """Give what is wrong with a package, whoever finds it, as it is shown to its author."""
    try:
        return [str(problem) for problem in findings(text, others).errors]
    except PackageError as error:
        return [str(problem) for problem in error.problems] or [str(error)]
