"""The outputs of a task that has ended, without the secrets that it was given.

Owns taking those out of what a tool says, also where that is refused. Must not know how outputs are
collected.
"""

from typing import Any

from localproc.cwl.base.files import Files
from localproc.cwl.run.collect import collect
from localproc.cwl.run.prepare import Prepared
from localproc.errors import LocalprocError
from localproc.executors.keeper.redactor import redacted
from localproc.model import Report, Secrets
from localproc.model.secret import with_texts


def collected(prepared: Prepared, report: Report, files: Files, secrets: Secrets) -> dict[str, Any]:
    """Return the outputs of a task; raises ``LocalprocError`` or ``OSError``."""
    if not secrets:
        return collect(prepared, report.exit_code or 0, files)
    marks = secrets.marks()
    try:
        outputs = collect(prepared, report.exit_code or 0, files)
    except LocalprocError as error:
        error.message, error.hint = redacted(error.message, marks), redacted(error.hint, marks)
        error.args = (error.message,)
        raise
    found: dict[str, Any] = with_texts(outputs, lambda text: redacted(text, marks))
    return found
