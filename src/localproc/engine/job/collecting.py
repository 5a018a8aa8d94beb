"""The outputs of a task that has ended, without the secrets that it was given.

Owns taking those out of what a tool says, also where that is refused. Must not know how outputs are
collected.
"""

from typing import Any

from localproc.cwl.base.files import Files
from localproc.cwl.run import untouched
from localproc.cwl.run.collect import collect
from localproc.cwl.run.prepare import Prepared
from localproc.errors import LocalprocError
from localproc.executors.keeper.redactor import with_marks
from localproc.model import Report, Secrets
from localproc.model.secret import with_texts


def collected(
    prepared: Prepared, report: Report, files: Files, secrets: Secrets
) -> tuple[dict[str, Any], list[str]]:
    """Return the outputs of a task, and what is to be told of what it was given to read.

    Raises ``LocalprocError`` or ``OSError``.
    """
    marks = secrets.marks() if secrets else {}
    try:
        told = untouched.check(prepared.tool.id, prepared.given, files)
        outputs: dict[str, Any] = collect(prepared, report.exit_code or 0, files)
    except LocalprocError as error:
        error.message, error.hint = (
            with_marks(error.message, marks),
            with_marks(error.hint, marks),
        )
        error.args = (error.message,)
        raise
    if marks:
        outputs = with_texts(outputs, lambda text: with_marks(text, marks))
    return outputs, [with_marks(text, marks) for text in told]
