"""Where the results of jobs are published.

Owns the URI of a results folder, and of one job's folder in it. Must not know what is published.
"""

import os
from urllib.parse import urlsplit

from localproc.errors import InvalidInputs
from localproc.model import JobRequest
from localproc.storage.addresses import redacted
from localproc.uris import canonical, path_uri


def results_uri(root: str, base: str = "") -> str:
    """Give the URI of a results folder that was given as a path or a URI.

    Raises ``InvalidInputs`` for one that leads nowhere.
    """
    try:
        parts = urlsplit(root)
        if parts.scheme:
            if "@" in parts.netloc:
                raise ValueError("it has a user or a password in it")
            return canonical(root).rstrip("/")
    except ValueError as error:
        raise InvalidInputs(
            f"results cannot go to {redacted(root)}: {error}",
            hint="keys belong into the options of the storage",
        ) from None
    return path_uri(os.path.normpath(os.path.join(base or os.getcwd(), root)))


def is_own(root: str, job_id: str) -> bool:
    """Return whether a folder of results is that of one job alone."""
    return root.endswith(f"/{job_id}")


def results_root(job_id: str, request: JobRequest) -> str:
    """Give the URI of the folder that a job's results are published in."""
    flat = request.options.get("layout") == "flat"
    return request.results if flat else f"{request.results}/{job_id}"
