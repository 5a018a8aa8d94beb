"""The key of the outputs of a step, for one job.

Owns which files count for it beside the inputs: those that lie beside the package's own. Must not
know where outputs are kept.
"""

import os
from collections.abc import Collection, Mapping

from localproc.cwl.base.files import Files
from localproc.cwl.run.plan import Invocation
from localproc.cwl.run.reuse_key import identity, may_be_reused, named_files
from localproc.storage.siblings import siblings


def key_of(
    invocation: Invocation,
    package_files: Collection[str],
    jobs: str,
    results: str,
    files: Files,
    *,
    image: str = "",
    software: Mapping[str, str] | None = None,
) -> str:
    """Return the key of a step's outputs; empty if equal runs of it may not share them.

    ``package_files`` are those that the package brings along; ``jobs`` is the folder of all jobs,
    ``results`` that of what is published: what lies in them is nobody's module. ``image`` is the
    digest of the image that it runs in, ``software`` the variables by which it finds software.
    """
    tool, inputs = invocation.tool, invocation.inputs
    if not may_be_reused(tool, inputs):
        return ""
    own = named_files(tool, inputs).intersection(package_files)
    beside = siblings(own, (os.path.dirname(jobs), results))
    return identity(tool, inputs, files, image=image, beside=beside, software=software)
