"""JSON and YAML as data, whoever sent it and whatever it is.

Owns how texts are read, and that JSON is bounded as YAML is (see ``trees``). Must not know what
documents mean.

libyaml reads YAML, as it is twenty times as fast as ruamel.yaml; what libyaml does not take, or
takes in the sense of YAML 1.1, is read by ruamel.yaml. Words and whole numbers, as command lines
have them, need neither: to load them takes longer than a small job.
"""

import json
import re
from typing import Any, Final

from localproc.cwl.base.numbers import LARGEST
from localproc.cwl.base.scalars import read_float
from localproc.cwl.base.surrogates import has_half, joined
from localproc.cwl.base.trees import DEEPEST, TreeBuilder, UnreadableText

#: Characters of a text that libyaml refuses and that ruamel.yaml, which is slow, reads once more.
_SECOND_READING: Final = 1 << 16
#: What YAML 1.1 and 1.2 take in different ways: a directive, and line breaks that 1.2 has not.
_OLD: Final = re.compile("^%|[\x85\u2028\u2029]", re.MULTILINE)
#: Plain words and paths, and those of them that are no texts; whole numbers of few digits.
_WORDS: Final = re.compile(r"[A-Za-z/][\w./-]*(?: +[\w./-]+)*", re.ASCII)
_NO_TEXTS: Final = frozenset({"true", "false", "null"})
_WHOLE: Final = re.compile("-?(?:0|[1-9][0-9]{0,17})")
_UNREAD: Final = object()
_MOST: Final = 5_000_000  #: mappings and lists that data may have


def read_data(text: str) -> Any:
    """Return JSON or YAML as plain data; raises ``Unreadable``."""
    if _WORDS.fullmatch(text) and text.lower() not in _NO_TEXTS:
        return text
    if _WHOLE.fullmatch(text):
        return int(text)
    _check_characters(text)
    if text.lstrip()[:1] in ("{", "["):
        try:
            found = json.loads(text, parse_float=read_float, parse_constant=_refuse)
        except (ValueError, RecursionError):
            pass  # YAML's flow style begins alike
        else:
            return _sound(found, text)
    return read_yaml(text)


def read_json(text: str) -> Any:
    """Return JSON as plain data; raises ``Unreadable``."""
    try:
        found = json.loads(text, parse_float=read_float, parse_constant=_refuse)
    except json.JSONDecodeError as error:
        raise UnreadableText(error.msg, error.lineno, error.colno) from None
    except ValueError as error:
        raise UnreadableText(_said(error)) from None
    except RecursionError:
        raise UnreadableText("it is nested too deeply") from None
    return _sound(found, text)


def read_written_json(data: bytes | str) -> Any:
    """Return JSON as programs write it, with NaN and infinities; raises ``Unreadable``."""
    try:
        found = json.loads(data)
    except ValueError as error:
        raise UnreadableText(_said(error)) from None
    except RecursionError:
        raise UnreadableText("it is nested too deeply") from None
    check_depth(found)
    return found


def read_yaml(text: str, *, marked: bool = False) -> Any:
    """Return YAML as plain data; raises ``Unreadable``.

    ``marked``: mappings and lists know where they and their parts stand (ruamel.yaml's
    ``CommentedMap`` and ``CommentedSeq``).
    """
    _check_characters(text)
    text = joined(text)
    found = _by_libyaml(text, marked=marked)
    if found is _UNREAD:
        found = _by_ruamel(text, marked=marked)
    if has_half(found, text):
        raise UnreadableText("a text in it has a lone surrogate")
    return found


def _check_characters(text: str) -> None:
    """Refuse bytes that were no UTF-8 where the text came from, which Python keeps as halves."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise UnreadableText("it is not UTF-8") from None


def check_depth(value: Any) -> None:
    """See that plain data has an end and not too many levels, and that its numbers can be written.

    Data that was not read from a text may contain itself. Raises ``Unreadable``.
    """
    _measure(value, 1, {})


def _measure(value: Any, depth: int, counts: dict[int, int]) -> int:
    """Count the mappings and lists in a value; ``counts`` has those of what was seen before."""
    if not isinstance(value, (dict, list, tuple)):
        return 0
    if depth > DEEPEST:
        raise UnreadableText(f"it has more than {DEEPEST} levels, one in another")
    count = 1
    for item in value.values() if isinstance(value, dict) else value:
        if isinstance(item, (dict, list, tuple)):
            key = id(item)
            if key not in counts:
                counts[key] = _measure(item, depth + 1, counts)
            count += counts[key]
        elif type(item) is int and not -LARGEST <= item <= LARGEST:
            raise UnreadableText("it has a number that is too large")
    if count > _MOST:
        raise UnreadableText(f"it has more than {_MOST} mappings and lists")
    return count


def _sound(found: Any, text: str) -> Any:
    check_depth(found)
    if has_half(found, text):
        raise UnreadableText("a text in it has a lone surrogate")
    return found


def _said(error: ValueError) -> str:
    """Return what a parser says, but for what Python says of ints of more than 4300 digits."""
    text = str(error)
    return "it has a number that is too large" if "digits" in text else text


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is no number of JSON")


def _by_libyaml(text: str, *, marked: bool) -> Any:
    """Return the data of a text, or ``_UNREAD`` if it is for ruamel.yaml; raises ``Unreadable``."""
    import yaml

    if not yaml.__with_libyaml__ or _OLD.search(text):
        return _UNREAD
    try:
        return TreeBuilder(marked=marked).build(yaml.parse(text, Loader=yaml.CLoader))
    except yaml.YAMLError as error:
        if len(text) > _SECOND_READING or "nesting depth" in str(error):
            raise _explained(error, text) from None
    return _UNREAD


def _by_ruamel(text: str, *, marked: bool) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return TreeBuilder(marked=marked).build(YAML(typ="safe", pure=True).parse(text))
    except (YAMLError, RecursionError) as error:
        raise _explained(error, text) from None


def _explained(error: Any, text: str) -> UnreadableText:
    """Say what a parser says, whichever it is."""
    if isinstance(error, RecursionError):
        return UnreadableText("it is nested too deeply")
    if mark := getattr(error, "problem_mark", None) or getattr(error, "context_mark", None):
        said = ", ".join(filter(None, (error.context, error.problem)))
        return UnreadableText(said, mark.line + 1, mark.column + 1)
    said = str(error).partition("\n")[0]
    position = getattr(error, "position", None)
    if not isinstance(position, int):
        return UnreadableText(said)
    before = text[:position]
    return UnreadableText(said, before.count("\n") + 1, len(before) - before.rfind("\n"))
