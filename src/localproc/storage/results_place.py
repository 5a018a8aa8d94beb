"""Where the results of jobs are published.

Owns the URI of a results folder, and of one job's folder in it. Must not know what is published.

The folder may be a template: ``s3://bucket/{namespace}/{process}/{date}/{job}``. A job's own folder
is what it becomes if it names the job, otherwise the folder of the job's id in it.
"""

import os
import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

from localproc.errors import InvalidInputs
from localproc.model import JobRequest
from localproc.storage.addresses import redacted
from localproc.storage.names import url_name
from localproc.uris import canonical, is_absolute, path_uri, quoted

_NAMED: Final = re.compile(r"\{([A-Za-z_]*)\}")
_JOB: Final = "{job}"  #: it is known when the job has been accepted


def results_uri(root: str, base: str = "", named: Mapping[str, str] | None = None) -> str:
    """Return the URI of a results folder that was given as a path or a URI.

    ``named`` is what the template may name besides the job. Raises ``InvalidInputs`` for one that
    leads nowhere.
    """
    try:
        root = _filled(root, named or {})
        if urlsplit(root).scheme:
            return canonical(root).rstrip("/")
    except ValueError as error:
        raise InvalidInputs(
            f"results cannot go to {redacted(root)}: {error}",
            hint="keys belong into the options of the storage" if "@" in root else "",
        ) from None
    path = os.path.normpath(os.path.join(base or os.getcwd(), root))
    return path_uri(path).replace(quoted(_JOB), _JOB)


def is_own(root: str, job_id: str) -> bool:
    """Return whether a folder of results is that of one job alone."""
    return root.endswith(f"/{job_id}")


def results_root(job_id: str, request: JobRequest) -> str:
    """Return the URI of the folder that a job's results are published in."""
    root = request.results.replace(_JOB, job_id)
    own = _JOB in request.results or request.options.get("layout") == "flat"
    return root if own else f"{root}/{job_id}"


def fixed_part(uri: str) -> str:
    """Return the folder that the results of all jobs of a template lie in."""
    fixed, job, _ = uri.partition(_JOB)
    return fixed.rpartition("/")[0] if job else uri


def _filled(root: str, named: Mapping[str, str]) -> str:
    """Write names into a template; a folder of this machine may be called as if it were one."""

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in named:
            return url_name(named[name])
        if found[0] != _JOB and is_absolute(root):
            raise ValueError(f"it names {found[0]}, and may name {', '.join(['job', *named])}")
        return found[0]

    return _NAMED.sub(value, root)
