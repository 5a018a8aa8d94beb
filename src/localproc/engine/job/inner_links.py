"""Links of a tool to places in its folder, as that is called in the tool's container.

Owns having them lead to the same places outside. Must not know containers.
"""

import os
import posixpath

from localproc.cwl.run.task_layout import Folders


def lead_outside(folders: Folders) -> None:
    """Have absolute links below a task's folder lead on where that is called otherwise.

    They become relative, so that they do wherever the folder is seen. Raises ``OSError``.
    """
    if not folders.inner:
        return
    for folder, names, files in os.walk(folders.outdir):
        for path in (posixpath.join(folder, name) for name in (*names, *files)):
            if not os.path.islink(path):
                continue
            target = os.readlink(path)
            if (real := folders.real(target)) != target:
                part = f"{path}.part"
                os.symlink(posixpath.relpath(real, folder), part)
                os.replace(part, path)
