"""A package that gives files and folders in every form, and a walk over what leads to them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

_SCRIPT = """
mkdir -p 'd/in ner' e; printf x > 'd/a#b.txt'; printf x > 'd/in ner/ü 100%.txt'; printf x > e/q
printf x > 'main?.txt'; printf x > 'main?.txt.idx'; printf x > f1; printf x > f2; printf x > r
"""

#: Every file of its results has the text ``x``.
FORMS: dict[str, Any] = {
    "cwlVersion": "v1.2",
    "class": "CommandLineTool",
    "id": "forms",
    "requirements": {"InlineJavascriptRequirement": {}},
    "baseCommand": ["sh", "-c", _SCRIPT],
    "inputs": [],
    "outputs": {
        "one": {
            "type": "File",
            "outputBinding": {"glob": "main*.txt"},
            "secondaryFiles": [".idx"],
        },
        "folder": {"type": "Directory", "outputBinding": {"glob": "d"}},
        "files": {"type": "File[]", "outputBinding": {"glob": "f*"}},
        "folders": {"type": "Directory[]", "outputBinding": {"glob": "[de]"}},
        "record": {
            "type": {
                "type": "record",
                "fields": {
                    "file": {"type": "File", "outputBinding": {"glob": "r"}},
                    "folder": {"type": "Directory", "outputBinding": {"glob": "e"}},
                    "number": {"type": "int", "outputBinding": {"outputEval": "$(3)"}},
                },
            }
        },
        "nested": {
            "type": "Any",
            "outputBinding": {
                "glob": "f1",
                "outputEval": "$([{deep: [[self[0]], {file: self[0]}]}, [self[0]]])",
            },
        },
    },
}
#: How many files are to be had by following links, by output.
COUNTS = {"one": 2, "folder": 2, "files": 2, "folders": 3, "record": 2, "nested": 3}

Get = Callable[[str], Any]


def links(document: Any) -> Iterator[Mapping[str, Any]]:
    """Yield all links of a document."""
    if isinstance(document, Mapping):
        if "href" in document:
            yield document
        for value in document.values():
            yield from links(value)
    elif isinstance(document, list):
        for one in document:
            yield from links(one)


def fetched(document: Any, get: Get) -> list[str]:
    """Return the texts of all files that a document leads to, through folders and other results.

    ``get`` gives the answer to an address. Files that are in the document itself count, too.
    """
    found = [*_inline(document)]
    for link in links(document):
        answer = get(link["href"])
        assert answer.status_code == 200, (link, answer.text)
        is_document = answer.headers["content-type"].startswith("application/json")
        found += fetched(answer.json(), get) if is_document else [answer.text]
    return found


def _inline(document: Any) -> Iterator[str]:
    """Yield the contents of files that are in a document by value."""
    if isinstance(document, Mapping):
        if "mediaType" in document:
            yield "x"
        for value in document.values():
            yield from _inline(value)
    elif isinstance(document, list):
        for one in document:
            yield from _inline(one)
