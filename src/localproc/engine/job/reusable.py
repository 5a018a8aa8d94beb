"""The key of the outputs of a step, for one job.

Owns which files count for it beside the inputs: those that lie beside the package's own. Must not
know where outputs are kept.
"""

import os
from collections.abc import Collection, Mapping
from typing import Any

from localproc.cwl.base.files import Files
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.reuse_key import identity, may_be_reused, named_files
from localproc.storage.siblings import siblings


def beside_of(
    invocation: Invocation, package_files: Collection[str], jobs: str, results: str
) -> str:
    """Return the digest of what lies beside the package's own files that a step is given.

    ``package_files`` are those that the package brings along; ``jobs`` is the folder of all jobs,
    ``results`` that of what is published: what lies in them is nobody's module.
    """
    own = named_files(invocation.tool, invocation.inputs).intersection(package_files)
    return together(siblings(own, package_files, (os.path.dirname(jobs), results)))


def together(digests: Mapping[str, str]) -> str:
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

    ``beside`` is what ``beside_of`` gives, ``image`` the digest of the image that it runs in,
    ``software`` what the software that it is given changes in its environment, ``given`` what
    counts of its variables and secrets.
    """
    tool, inputs = invocation.tool, invocation.inputs
    if not may_be_reused(tool, inputs):
        return ""
    return identity(tool, inputs, files, image=image, beside=beside, software=software, given=given)
