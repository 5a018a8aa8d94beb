"""The key of the outputs of a step, for one job.

Owns which files count for it beside the inputs: those that the package's own may use, and scripts
among the job's inputs. Must not know where outputs are kept.
"""

from collections.abc import Collection, Mapping
from functools import cached_property
from typing import Any

from localproc.cwl.base.files import Files, local_paths
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.reuse_key import identity, may_be_reused, named_files
from localproc.storage.script_reach import is_script
from localproc.storage.siblings import siblings


class Surroundings:
    """What lies around the scripts of a job: those of its package, and those among its inputs.

    ``package_files`` are those that the package brings along. What lies in the folders ``home`` and
    ``results`` is nobody's module.
    """

    def __init__(
        self, package_files: Collection[str], inputs: Mapping[str, Any], home: str, results: str
    ) -> None:
        self._package = frozenset(package_files)
        self._inputs = inputs
        self._besides = (home, results)

    @cached_property
    def _given(self) -> frozenset[str]:
        """The files of this machine that the job is given; a step may have made others."""
        return frozenset(local_paths(self._inputs))

    def digests(self) -> dict[str, str]:
        """Return a digest for each of the scripts, of what it may use besides itself."""
        return self._digests({*self._package, *filter(is_script, self._given)})

    def of(self, invocation: Invocation) -> str:
        """Return the digest of what the scripts may use that a step is given."""
        files = named_files(invocation.tool, invocation.inputs)
        given = files & self._given if files else files
        return joint_digest(self._digests(files & self._package | set(filter(is_script, given))))

    def _digests(self, scripts: Collection[str]) -> dict[str, str]:
        if not scripts:
            return {}
        return siblings(scripts, self._package | self._given, self._besides)


def joint_digest(digests: Mapping[str, str]) -> str:
    """Return one digest for what lies beside several scripts, wherever these are."""
    return ",".join(sorted(digests.values()))


def key_of(
    invocation: Invocation,
    beside: str,
    files: Files,
    image: str = "",
    software: Mapping[str, str] | None = None,
    given: Mapping[str, Any] | None = None,
) -> str:
    """Return the key of a step's outputs; empty if equal runs of it may not share them.

    ``beside`` is what ``Surroundings`` give, ``image`` the digest of the image that it runs in,
    ``software`` what the software that it is given changes in its environment, ``given`` what
    counts of its variables and secrets.
    """
    tool, inputs = invocation.tool, invocation.inputs
    if not may_be_reused(tool, inputs):
        return ""
    return identity(tool, inputs, files, image=image, beside=beside, software=software, given=given)
