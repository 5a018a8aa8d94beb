"""Results on their way out.

Owns which form the results of a job are given in: raw values, several parts, a document, links
(Part 1, the requirements on responses of execution and of results). Must not know how a job was
asked for.
"""

import base64
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from starlette.responses import Response

from localproc.cwl.base.types import is_filelike
from localproc.engine.handles import Job
from localproc.engine.results import catalog_folder, witness
from localproc.errors import (
    EXCEPTIONS_1,
    JobFailed,
    LocalprocError,
    NoSuchOutput,
    ResultsGone,
    ResultsNotReady,
)
from localproc.frozen import frozen
from localproc.http.answers import (
    GEOJSON,
    HTML,
    JSON,
    RELATED,
    TEXT,
    HttpProblem,
    Part,
    multipart,
    nothing,
)
from localproc.http.bodies import parsed
from localproc.http.exchange import Exchange
from localproc.http.published_files import opened_result
from localproc.http.whole_numbers import whole
from localproc.model import JobStatus, Step
from localproc.model.events import STAGE_IN
from localproc.uris import quoted, unquoted
from localproc.views import ogc
from localproc.views.written import written

_INLINE: Final = 10 << 20  #: bytes that a file may have to be put into a document


@frozen
class Output:
    """One result: its value in CWL's terms, its FeatureCollection if it is one, how it is wanted.

    ``mode`` is ``value``, ``reference`` or nothing.
    """

    name: str
    value: Any
    features: Any
    mode: str

    @property
    def is_file(self) -> bool:
        """Whether it is one file."""
        return is_filelike(self.value) and self.value["class"] == "File" and not self.features

    @property
    def media_types(self) -> Sequence[str]:
        """The media types that it can be had in, its own first."""
        if self.features:
            return (GEOJSON, JSON)
        if self.is_file:
            return (ogc.file_link(self.value)["type"],)
        return (TEXT, JSON) if isinstance(self.value, str) else (JSON,)


class Delivery:
    """Gives the results of one job."""

    def __init__(self, exchange: Exchange, job: Job) -> None:
        self._exchange = exchange
        self._job = job
        self._place = f"{exchange.base}/jobs/{job.id}"

    # The forms

    def synchronous(self) -> Response:
        """Answer an execution that was waited for.

        One output is given raw, several as a document, unless the request says otherwise; none at
        all if none was asked for.
        """
        wanted = self._job.request.outputs
        outputs = self._outputs()
        if wanted is not None and not wanted:
            return nothing()
        response = self._job.request.options.get("response")
        described = self._job.process.outputs
        alone = len(described if wanted is None else wanted) == 1
        if response == "raw" or (alone and response != "document"):
            return self._raw(outputs)
        return self.document(outputs)

    def results(self, names: Sequence[str]) -> Response:
        """Answer ``GET jobs/{id}/results``: the outputs of these names, all if there are none."""
        outputs = self._outputs()
        self._check_there(outputs)
        if names:
            outputs = [self._named(name, outputs) for name in names]
        if self._job.request.options.get("response") == "raw":
            return self._raw(outputs)
        self._exchange.wants(JSON, HTML)
        return self.document(outputs)

    def one(self, name: str, index: str = "") -> Response:
        """Answer ``GET jobs/{id}/results/{output}``, or with one item of an array."""
        found = self._named(name, self._outputs())
        if not found.is_file:  # it is known from the history, wherever its files are
            self._check_there([found])
        if index:
            items = found.value if isinstance(found.value, list) and not found.features else []
            place = whole(index)
            if place is None or place >= len(items):
                raise NoSuchOutput(
                    f"the output {name!r} has no item {index}", hint=f"it has {len(items)}"
                )
            found = Output(name, items[place], None, found.mode)
        # Files in an array that is wanted by reference are links that can be followed, too.
        mode = found.mode if found.mode == "reference" and isinstance(found.value, list) else ""
        return self._value(replace(found, mode=mode), by_reference=False)

    def document(self, outputs: Sequence[Output]) -> Response:
        """Answer with the results document (schema ``results.yaml``)."""
        return self._exchange.document({one.name: self._entry(one) for one in outputs})

    def _raw(self, outputs: Sequence[Output]) -> Response:
        """Answer with values as they are, several as parts (Part 1 1.0, raw-value-multi).

        A client that takes no parts has the document, as the draft of 2.0 has it: a type that it
        does not accept helps nobody (RFC 9110, 12.5.1).
        """
        if not outputs:
            return nothing()
        if len(outputs) == 1:
            return self._value(outputs[0], by_reference=outputs[0].mode == "reference")
        if self._exchange.wants(RELATED, JSON) == JSON:
            return self.document(outputs)
        return multipart([self._part(one) for one in outputs])

    # One output

    def _value(self, output: Output, *, by_reference: bool) -> Response:
        if by_reference:
            return nothing({"Link": f'<{self._address(output)}>; rel="{ogc.RESULTS_REL}"'})
        chosen = self._exchange.wants(*dict.fromkeys((*output.media_types, JSON)))
        if chosen == JSON and JSON not in output.media_types:
            return self.document([output])
        if output.is_file:
            answer = self._exchange.file(self._job, output.value["location"], chosen)
        else:
            answer = Response(self._data(output, chosen), media_type=_with_charset(chosen))
        answer.headers["Vary"] = "Accept"
        return answer

    def _part(self, output: Output) -> Part:
        kind = output.media_types[0]
        if output.mode == "reference":
            return Part(output.name, kind, location=self._address(output))
        typed = kind if output.is_file else _with_charset(kind)
        return Part(output.name, typed, self._data(output, kind))

    def _data(self, output: Output, kind: str) -> bytes:
        """Return an output as bytes: a file as it is, a value as every other form has it."""
        if output.is_file:
            with opened_result(self._job, output.value["location"]).file as file:
                return file.read()
        return self._exchange.scrubbed(self._written(output, kind))

    def _written(self, output: Output, kind: str) -> bytes:
        if kind == TEXT:
            return str(output.value).encode(errors="backslashreplace")
        if output.features:
            return written(self._addressed(output.features))
        return written(self._bare(output, output.value))

    def _bare(self, output: Output, value: Any) -> Any:
        """Return a value as its own schema has it: files are links, the rest is itself."""
        if isinstance(value, list):
            return [self._bare(output, item) for item in value]
        if is_filelike(value):
            return self._entry(replace(output, value=value))
        return self._addressed(ogc.with_links(self._served(value)))

    def _entry(self, output: Output) -> Any:
        """Return an output as the results document has it."""
        if output.mode == "reference" and not is_filelike(output.value):
            kind = output.media_types[0]
            return {"href": self._address(output), "rel": ogc.ITEM_REL, "type": kind}
        if output.mode == "reference" and (output.is_file or output.features):
            return self._reference(output)
        if output.mode == "value" and output.is_file:
            inline = self._inline(output)
            if inline is not None:
                return inline | self._beside(output)
        if output.mode == "value" and isinstance(output.value, list) and not output.features:
            items = [replace(output, value=item) for item in output.value]
            return [None if one.value is None else self._entry(one) for one in items]
        if output.features:
            document = ogc.results_document({"": output.value}, {"": output.features})
        else:
            document = ogc.results_document({"": self._served(output.value)}, {})
        return self._addressed(document[""])

    def _reference(self, output: Output) -> Mapping[str, Any]:
        """Return a link to a file, or to a catalog, that a client can follow."""
        if output.is_file:
            return ogc.file_link(self._served(output.value))
        catalog = f"{catalog_folder(output.value)}/catalog.json"
        href = self._exchange.fetchable(self._job, catalog)
        return {"href": href, "rel": ogc.ITEM_REL, "type": JSON}

    def _inline(self, output: Output) -> dict[str, Any] | None:
        """Return a file's content as a qualified value, ``None`` if it is too large."""
        if output.value.get("size", 0) > _INLINE:
            return None
        kind = output.media_types[0]
        data = self._data(output, kind)
        # Documents lose the folders of this machine; what a file says stays as it is.
        plain = self._exchange.scrubbed(data) == data
        if plain and (kind == JSON or kind.endswith("+json")):
            try:
                return {"value": parsed(data.decode()), "mediaType": kind}
            except ValueError:
                pass
        if plain and kind.startswith("text/"):
            try:
                return {"value": data.decode(), "mediaType": kind}
            except UnicodeDecodeError:
                pass
        value = base64.b64encode(data).decode("ascii")
        return {"value": value, "mediaType": kind, "encoding": "base64"}

    def _beside(self, output: Output) -> dict[str, Any]:
        """Return the files beside a file that is given by value, in the same way."""
        others = output.value.get("secondaryFiles") or ()
        entries = [self._entry(replace(output, value=one)) for one in others]
        return {"secondaryFiles": entries} if entries else {}

    def _address(self, output: Output) -> str:
        if output.is_file:
            return self._exchange.fetchable(self._job, output.value["location"])
        return f"{self._place}/results/{quoted(output.name)}"

    def _served(self, value: Any) -> Any:
        return self._exchange.served(self._job, value)

    def _addressed(self, content: Any) -> Any:
        return self._exchange.addressed(self._job, content)

    # What there is

    def _outputs(self) -> list[Output]:
        """Return the outputs that there are and that were asked for; raises why there are none."""
        if self._job.status is not JobStatus.SUCCESSFUL:
            raise self.failure()
        outcome = self._job.outcome()
        wanted = self._job.request.outputs
        modes = wanted or {}
        return [
            Output(
                name,
                value,
                outcome.features.get(name),
                modes.get(name, {}).get("transmissionMode", ""),
            )
            for name, value in outcome.outputs.items()
            if value is not None and (wanted is None or name in wanted)
        ]

    def _named(self, name: str, outputs: Sequence[Output]) -> Output:
        for one in outputs:
            if one.name == name:
                return one
        known = ", ".join(one.name for one in outputs) or "none"
        error = NoSuchOutput(f"job {self._job.id} has no output {name!r}", hint=f"it has: {known}")
        if name in self._job.process.outputs:
            raise error
        raise HttpProblem(400, "NoSuchOutput", error.message, kind=error.type, hint=error.hint)

    def _check_there(self, outputs: Sequence[Output]) -> None:
        """Raise ``ResultsGone`` for results that somebody has removed."""
        try:
            seen = (witness(one.value, is_catalog=bool(one.features)) for one in outputs)
            self._job.published.check(filter(None, seen))
        except ResultsGone as gone:  # its address may be one of this machine
            raise ResultsGone(posixpath.basename(unquoted(gone.uri)), hint=gone.hint) from None

    def failure(self) -> LocalprocError:
        """Return the error that stands where the results would be."""
        status = self._job.status
        if status is JobStatus.DISMISSED:
            return HttpProblem(
                404,
                "ResultNotAvailable",
                f"job {self._job.id} was dismissed",
                kind=EXCEPTIONS_1 + "result-not-available",
            )
        if status is not JobStatus.FAILED:
            return ResultsNotReady(
                f"job {self._job.id} is {status}", hint=f"see {self._place} for how far it is"
            )
        error = JobFailed.from_problem(self._job.problem)
        return FailedJob(error, self._place, self._job.steps)


_OF_THIS_MACHINE: Final = ("command", "folder")


class FailedJob(LocalprocError):
    """Why a job failed, as an answer: its log is a link, and the status tells whose fault it is."""

    def __init__(self, error: JobFailed, place: str, steps: Sequence[Step]) -> None:
        super().__init__(error.message, hint=error.hint)
        # What could not be read or was no good is what the client sent, as is a limit of time; the
        # rest is ours.
        sent = [step.name for step in steps if step.key == STAGE_IN]
        self._status = 400 if error.step in sent or error.cause == "time-limit" else 500
        self._error = error
        self._place = place

    def to_problem(self) -> dict[str, Any]:
        """Return the members of the problem."""
        said = self._without_places(self._error.to_problem())
        if "failures" in said:
            said["failures"] = [self._without_places(one) for one in said["failures"]]
        return said | {"status": self._status}

    def _without_places(self, problem: Mapping[str, Any]) -> dict[str, Any]:
        """Take out of a problem where this machine keeps things; logs have addresses."""
        said = {name: one for name, one in problem.items() if name not in _OF_THIS_MACHINE}
        if "log" in said:
            said["log"] = f"{self._place}/{quoted(said['log'].rsplit('/', 1)[-1])}"
        return said


def _with_charset(kind: str) -> str:
    return f"{kind};charset=UTF-8"
