"""Running a document with localproc and with cwltool, and what of their outputs has to be equal."""

import io
import json
import logging
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, TypeAlias
from urllib.parse import unquote, urlsplit

from cwltool.main import main

from localproc import Engine
from localproc.errors import LocalprocError
from tests.patience import patient

#: The output object, or ``None`` for a run that failed or a document that was refused.
Outcome: TypeAlias = dict[str, Any] | None

_FILE: Final = ("class", "basename", "size", "checksum", "contents", "format")
_DIRECTORY: Final = ("class", "basename")
#: What tells outputs of one name apart: cwltool has it in the location only.
_NUMBER: Final = re.compile(r"_\d+(?=\.|$)")


def with_localproc(engine: Engine, document: Path, job: Path | None, folder: Path) -> Outcome:
    """Run a document in an engine."""
    results = tempfile.mkdtemp(dir=folder)
    try:
        process = engine.deploy(document)
        inputs: Any = {} if job is None else str(job)
        options: Any = {"references": False, "results": results, "options": {"layout": "flat"}}
        running = process.execute(inputs, base=str((job or document).parent), **options)
        return _outcome(dict(running.wait(patient(120)).outcome().outputs))
    except LocalprocError as error:
        print(f"localproc: {error}")
        return None


def with_cwltool(document: Path, job: Path | None, folder: Path) -> Outcome:
    """Run a document with the reference implementation, in this process."""
    for name in ("cwltool", "salad"):
        logging.getLogger(name).setLevel(logging.ERROR)
    arguments = ["--no-container", "--quiet", "--disable-js-validation", "--skip-schemas"]
    arguments += ["--outdir", tempfile.mkdtemp(dir=folder), str(document)]
    said, log = io.StringIO(), io.StringIO()
    # Without a callback of ours it would load its schemas anew for every run.
    code = main(
        [*arguments, *([str(job)] if job else [])],
        stdin=io.StringIO(),
        stdout=said,
        stderr=log,
        logger_handler=logging.StreamHandler(log),
        custom_schema_callback=lambda: None,
    )
    if code != 0:
        print(f"cwltool: {log.getvalue()}")
        return None
    return _outcome(json.loads(said.getvalue() or "{}"))


def _outcome(outputs: Mapping[str, Any]) -> Outcome:
    """Give outputs as they are compared; one that is null is as good as one that is not there."""
    return {name: comparable(value) for name, value in outputs.items() if value is not None}


def comparable(value: Any) -> Any:
    """Give a value without what may differ: where files are, and in which order they are listed.

    Files are there with their text, for people to see the difference.
    """
    if isinstance(value, list):
        return [comparable(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    if value.get("class") not in ("File", "Directory"):
        return {key: comparable(item) for key, item in value.items()}
    members = _FILE if value["class"] == "File" else _DIRECTORY
    plain = {name: value[name] for name in members if value.get(name) is not None}
    plain["basename"] = _NUMBER.sub("", plain["basename"])
    if value["class"] == "File":
        path = unquote(urlsplit(value["location"]).path)
        plain["lines"] = Path(path).read_text(errors="replace").splitlines()
    for part in ("secondaryFiles", "listing"):
        if value.get(part):
            plain[part] = sorted((comparable(one) for one in value[part]), key=str)
    return plain
