"""What was found in the logs of jobs.

Owns how a text that is searched for is read, the lines that are shown of a log, and the document of
all. Must not know where logs are kept.
"""

import re
from collections.abc import Sequence
from typing import Any, Final

from localproc.errors import InvalidInputs, Problem
from localproc.frozen import frozen
from localproc.model import JobRecord
from localproc.spelling import public
from localproc.views.ogc import timestamp

_MOST_LINES: Final = 3  #: of a log that are shown
_WIDEST: Final = 300  #: characters of a line that are shown
_PHRASES: Final = re.compile(r'"([^"]*)"|(\S+)')
_WORDS: Final = re.compile(r"[^\W_]+")
_BEGIN, _APART = r"(?<![^\W_])", r"[\W_]+"  # of a word; what is between words


@frozen
class FoundLog:
    """A log that has what was searched for, and the first of the lines that do."""

    job: JobRecord
    log: str
    lines: Sequence[str]

    @property
    def step(self) -> str:
        """The step, as its log file names it."""
        return self.log.removesuffix(".log").removeprefix("node_")


@public
@frozen
class FoundLogs:
    """The logs that were found, newest jobs first; ``unread`` jobs have not been looked at yet."""

    logs: Sequence[FoundLog]
    unread: int = 0


def read_phrases(text: str) -> list[str]:
    """Return what all has to be in a log: words, and what stands in quotes as one phrase.

    Raises ``InvalidInputs`` for a text without any word.
    """
    found = [quoted or word for quoted, word in _PHRASES.findall(text.replace("\0", " "))]
    phrases = [" ".join(_WORDS.findall(one)) for one in found]
    phrases = [one for one in phrases if one]
    if not phrases:
        problem = Problem(f"{text!r} has no letter and no digit", "search")
        hint = 'search for words, and for a phrase in quotes: "no such file"'
        raise InvalidInputs("there is nothing to search for", [problem], hint=hint)
    return phrases


def matching_lines(text: str, phrases: Sequence[str]) -> list[str]:
    """Return the first lines of a log that have the most of the phrases."""
    patterns = [re.compile(_BEGIN + _APART.join(one.split()), re.IGNORECASE) for one in phrases]
    told = [(sum(bool(one.search(line)) for one in patterns), line) for line in text.splitlines()]
    most = max((count for count, _ in told), default=0)
    lines = dict.fromkeys(line.strip()[:_WIDEST] for count, line in told if count == most and most)
    return list(lines)[:_MOST_LINES]


def found_document(found: FoundLogs, base: str = "") -> dict[str, Any]:
    """Return it as a document; ``base`` is the URL that its links begin with."""
    matches = []
    for one in found.logs:
        place = f"{base}/jobs/{one.job.id}"
        matches.append(
            {
                "jobID": one.job.id,
                "processID": one.job.process_id,
                "status": one.job.status.value,
                "created": timestamp(one.job.created),
                "step": one.step,
                "lines": list(one.lines),
                "links": [
                    {"rel": "up", "href": place, "type": "application/json"},
                    {"rel": "item", "href": f"{place}/{one.log}", "type": "text/plain"},
                ],
            }
        )
    return {"matches": matches, "unreadJobs": found.unread}
