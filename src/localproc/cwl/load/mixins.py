"""What a ``$mixin`` names: fields that a mapping takes over from another document.

Owns putting them in. Must not know what fields mean.

Source: Schema Salad v1.2, section 4.3 "Mixin": fields that are there already stay, and references
hang from the document that takes the fields over.
"""

from typing import Any

from localproc.cwl.base.positions import find
from localproc.cwl.load.raw import read_document
from localproc.cwl.load.sources import Sources, leads_to
from localproc.errors import InvalidPackage


def mix_in(value: Any, uri: str, sources: Sources, within: tuple[str, ...] = ()) -> None:
    """Put in the fields of all documents that the parts of a value take over.

    ``uri`` is the document that the value is in, ``within`` what it was taken over from. Raises
    ``InvalidPackage`` for what is no mapping, or takes over itself.
    """
    if isinstance(value, dict):
        if isinstance(named := value.get("$mixin"), str):
            place = find(sources.name(uri), value, ["$mixin"])
            del value["$mixin"]
            document = leads_to(uri, named)
            if document in within:
                said = f"{sources.name(document)} takes over itself"
                raise InvalidPackage("the package is not complete", [place.problem(said, "")])
            mixin = read_document(sources.text(document), sources.name(document))
            if not isinstance(mixin, dict):
                said = f"{sources.name(document)} is no mapping, whose fields could be taken over"
                raise InvalidPackage("the package is not complete", [place.problem(said, "")])
            mix_in(mixin, uri, sources, (*within, document))
            for name, field in mixin.items():
                value.setdefault(name, field)
        for item in list(value.values()):
            mix_in(item, uri, sources, within)
    elif isinstance(value, list):
        for item in value:
            mix_in(item, uri, sources, within)
