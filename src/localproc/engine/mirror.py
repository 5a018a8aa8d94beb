"""Inputs of jobs that are kept to be there without a network, and moved to another machine.

Owns what is mirrored: bringing it, looking at it, and the files that it is moved in. Must not know
how anything is fetched, nor how jobs are run.

Such a file is a tar archive: ``mirror.json`` says what there is, ``blobs/`` has contents by their
SHA-256, ``jobs/<job>/`` the package and the inputs of a job, ``images/`` what jobs ran in. What of
a package lies on the web is mirrored as well.
"""

import io
import json
import os
import re
import shutil
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any, Final
from urllib.parse import urldefrag, urlsplit

from localproc.cwl.base.files import is_local, local_path, walk
from localproc.cwl.run.process_inputs import fill
from localproc.cwl.run.remote_defaults import DEFAULTS, remote_defaults
from localproc.engine.handles import Job, Process
from localproc.engine.namespace import Namespace
from localproc.engine.packages.image_files import load_images, save_images
from localproc.engine.packages.package_source import PackageSource, find_source
from localproc.errors import InvalidInputs, NoSuchObject, StagingError
from localproc.frozen import frozen
from localproc.model import InputPolicy, ProcessRecord
from localproc.plugins.storage import Info
from localproc.spelling import public
from localproc.storage.addresses import redacted
from localproc.storage.disk import telling
from localproc.storage.input_cache import ANYBODY, InputCache, KeptInput
from localproc.storage.integrity import file_sha256
from localproc.storage.stage_in import stage_in

_INDEX: Final = "mirror.json"
_INPUTS: Final = "inputs.json"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@frozen
class MirroredJob:
    """A job that can be run again: the id of its process, and the path of a file of its inputs."""

    process_id: str
    inputs: str


@public
class Mirror:
    """What an engine's home has mirrored; iterating it gives each object, by URI."""

    def __init__(self, space: Namespace) -> None:
        self._space = space
        self._cache: InputCache = space.runtime.inputs

    def __iter__(self) -> Iterator[KeptInput]:
        return self._cache.mirrored()

    def add(self, what: str | Job, log: Callable[[str], None] = lambda _: None) -> int:
        """Mirror what lies at a URI, or all inputs of a job; return how many objects there are.

        Of a STAC item its assets are brought too, of a prefix (``s3://bucket/folder``) all that is
        below it. ``log`` is told of each. Raises ``StagingError``.
        """
        before = {one.key for one in self}
        inputs = self._inputs_of(what) if isinstance(what, Job) else _inputs_at(what)
        access = self._space.runtime.storages.access(
            InputPolicy(), self._space.name, log=log, mirrored=True
        )
        with tempfile.TemporaryDirectory(prefix="localproc-") as folder:
            try:
                stage_in(inputs, folder, access, log)
            except StagingError:
                if isinstance(what, Job):
                    raise
                # What is at the URI is no STAC item and no prefix, but may be a file.
                location = {"class": "File", "location": what, "basename": "object"}
                stage_in({"object": location}, os.path.join(folder, "file"), access, log)
            if isinstance(what, Job):
                self._add_package(what, os.path.join(folder, "package"))
        return len({one.key for one in self} - before)

    def verify(self) -> Mapping[str, str]:
        """Return what is wrong with what is mirrored, in words, by URI: every byte is read."""
        found = ((one.uri, self._cache.damaged(one)) for one in self)
        return {uri: wrong for uri, wrong in found if wrong}

    def remove(self, uri: str) -> None:
        """Mirror what lies at a URI no longer; raises ``NoSuchObject``."""
        found = [one for one in self if one.uri == redacted(uri)]
        if not found:
            raise NoSuchObject(f"{redacted(uri)} is not mirrored", uri=redacted(uri))
        for one in found:
            self._cache.forget(one)

    # Other machines

    def export(
        self, path: str | os.PathLike[str], jobs: Sequence[Job] = (), *, images: bool = True
    ) -> None:
        """Write all that is mirrored to a file, with packages, inputs and images of some jobs.

        What these jobs read is mirrored first. ``images=False`` leaves the images out that they
        ran in. Raises ``StagingError``, and ``ImageError`` for an image that is not here any more.
        """
        for job in jobs:
            self.add(job)
        kept = list(self)
        target = os.path.abspath(path)
        with telling(target), tempfile.TemporaryDirectory(dir=os.path.dirname(target)) as aside:
            part = os.path.join(aside, "mirror")
            with tarfile.open(part, "w") as archive:
                for one in {each.sha256: each for each in kept}.values():
                    archive.add(self._cache.blob(one), f"blobs/{one.sha256}")
                listed = [self._export_job(archive, job) for job in jobs]
                saved = self._saved(jobs, aside) if images else []
                for each in saved:
                    archive.add(os.path.join(aside, each["file"]), f"images/{each['file']}")
                index = {
                    "version": 1,
                    "kept": [asdict(one) for one in kept],
                    "jobs": listed,
                    "images": saved,
                }
                _write(archive, _INDEX, json.dumps(index).encode())
            os.replace(part, target)

    def take_in(self, path: str | os.PathLike[str], *, images: bool = True) -> list[MirroredJob]:
        """Read a file that ``export`` has written; return its jobs, whose packages are deployed.

        Images in it are loaded, unless ``images`` is false. Raises ``StagingError`` for a file that
        is none or is damaged, ``EnvironmentProblem`` if there is no container runtime for them;
        then nothing is taken.
        """
        shown = os.fspath(path)
        os.makedirs(self._cache.folder, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=self._cache.folder, prefix="import-") as folder:
            try:
                with telling(shown), tarfile.open(shown) as archive:
                    archive.extractall(folder, filter="data")
                with open(os.path.join(folder, _INDEX), encoding="utf-8") as file:
                    index = json.load(file)
                kept = [KeptInput(**{**one, "owner": ANYBODY}) for one in index["kept"]]
                listed = list(index["jobs"])
            except (tarfile.TarError, OSError, ValueError, TypeError, KeyError) as error:
                raise StagingError(
                    f"{shown} is no mirror, or is damaged ({type(error).__name__})",
                    hint="localproc mirror export writes such a file",
                ) from None
            blobs = [_checked(one, os.path.join(folder, "blobs"), shown) for one in kept]
            if images:
                load_images(
                    index.get("images", ()),
                    self._space.runtime.containers,
                    os.path.join(folder, "images"),
                    shown,
                )
            with telling(shown):
                for one, blob in zip(kept, blobs, strict=True):
                    self._cache.put(one, blob)
            return [self._take_job(os.path.join(folder, "jobs"), one) for one in listed]

    def _inputs_of(self, job: Job) -> Mapping[str, Any]:
        process = self._space.runtime.processes.of(self._space.revision(job.record))
        filled = fill(process, job.request.inputs)
        defaults = remote_defaults(process)
        return {**filled, DEFAULTS: list(defaults)} if defaults else filled

    def _add_package(self, job: Job, path: str) -> None:
        """Mirror what of a job's package lies on the web, as it was when that was deployed."""
        for uri, text in _on_the_web(self._space.revision(job.record)).items():
            with open(path, "wb") as file:
                file.write(text)
            self._cache.keep(uri, ANYBODY, Info(uri, len(text)), path)
            os.remove(path)

    def _saved(self, jobs: Sequence[Job], folder: str) -> list[dict[str, str]]:
        ran = [(self._space.revision(job.record).resolved, _ran_in(job)) for job in jobs]
        return save_images(ran, self._space.runtime.containers, folder)

    def _export_job(self, archive: tarfile.TarFile, job: Job) -> dict[str, Any]:
        process = self._space.revision(job.record)
        folder = f"jobs/{job.id}"
        package, kind = Process(self._space, process).exported()
        name = "package.zip" if kind.endswith("zip") else "package.cwl"
        _write(archive, f"{folder}/{name}", package)
        inputs = json.loads(json.dumps(job.request.inputs))
        for number, one in enumerate(one for one in walk(inputs) if is_local(one)):
            source = local_path(one)
            own = f"files/{number}/{os.path.basename(source)}"
            archive.add(os.path.realpath(source), f"{folder}/{own}")
            one["location"] = own
        _write(archive, f"{folder}/{_INPUTS}", json.dumps(inputs, indent=2).encode())
        web = list(_on_the_web(process))
        found = {"job": job.id, "process": process.id, "package": name, "web": web}
        if web[:1] == [next(iter(process.texts))]:  # all of it lies there
            found["entry"] = urldefrag(web[0]).url
            found["fragment"] = urldefrag(process.entry).fragment
        return found

    def _take_job(self, jobs: str, said: Mapping[str, Any]) -> MirroredJob:
        name, package = os.path.basename(said["job"]), os.path.basename(said["package"])
        target = os.path.join(self._cache.folder, "jobs", name)
        shutil.rmtree(target, ignore_errors=True)
        os.makedirs(os.path.dirname(target), exist_ok=True)
        os.rename(os.path.join(jobs, name), target)
        source = self._source(os.path.join(target, package), said)
        record = self._space.processes.deploy(source, process_id=said["process"])
        return MirroredJob(record.id, os.path.join(target, _INPUTS))

    def _source(self, path: str, said: Mapping[str, Any]) -> PackageSource:
        """Return a package that has come along, with what it has on the web."""
        web = {}
        for uri in said.get("web", ()):
            if (kept := self._cache.find(uri, ANYBODY)) is not None:
                with open(self._cache.blob(kept), "rb") as file:
                    web[uri] = file.read()
        source = find_source(path)
        if (entry := str(said.get("entry", ""))) in web:
            fragment = str(said.get("fragment", ""))
            return PackageSource(entry, fragment, media_type=source.media_type, parts=web)
        return replace(source, parts={**source.parts, **web}) if web else source


def _on_the_web(process: ProcessRecord) -> Mapping[str, bytes]:
    """Return the texts of a package that lie on the web, by address, the entry first."""
    return {
        uri: text
        for uri, text in process.texts.items()
        if urlsplit(uri).scheme in ("http", "https")
    }


def _ran_in(job: Job) -> str:
    """Return the container runtime of a job, or of its executor; empty for none."""
    return job.request.containers or next(filter(None, (one.containers for one in job.steps)), "")


def _checked(one: KeptInput, folder: str, shown: str) -> str:
    """Return the path of the contents of what is in a mirror; they are what it says."""
    blob = os.path.join(folder, one.sha256)
    if not (_DIGEST.fullmatch(str(one.key)) and _DIGEST.fullmatch(one.sha256)):
        raise StagingError(f"{shown} has an entry that is none: {one.uri}")
    if not os.path.isfile(blob) or (os.path.getsize(blob), file_sha256(blob)) != (
        one.size,
        one.sha256,
    ):
        raise StagingError(f"{one.uri} is not in {shown} as it was mirrored: its bytes are others")
    return blob


def _inputs_at(uri: str) -> Mapping[str, Any]:
    if "://" not in uri or uri.startswith("file:"):
        raise InvalidInputs(
            f"{uri!r} is not the address of anything that lies elsewhere",
            hint="give a URL, or the id of a job",
        )
    return {"object": {"class": "Directory", "location": uri}}


def _write(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size = len(data)
    archive.addfile(info, io.BytesIO(data))
