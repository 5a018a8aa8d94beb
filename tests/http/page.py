"""A page as tests look at it."""

from collections import Counter
from html.parser import HTMLParser

import httpx

_EMPTY = {"br", "hr", "img", "input", "link", "meta", "rect", "path", "line"}

Tag = tuple[str, dict[str, str]]


class Page(HTMLParser):
    """The elements of an answer that has to be a page."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__()
        assert answer.headers["content-type"] == "text/html;charset=UTF-8", answer.text
        self.tags: list[Tag] = []
        self.text = ""
        self.scripts = ""
        self._open: list[str] = []
        self.feed(answer.text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in _EMPTY:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if tag in ("p", "li"):  # may be closed by what follows
            while tag in self._open and self._open[-1] != tag:
                self._open.pop()
        assert self._open, f"</{tag}> closes nothing"
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] in ("script", "style"):
            self.scripts += data
        else:
            self.text += data

    def all(self, name: str) -> list[dict[str, str]]:
        """Give the attributes of all elements of a name."""
        return [attributes for tag, attributes in self.tags if tag == name]

    def links(self) -> list[str]:
        """Give where its links lead."""
        return [one["href"] for one in self.all("a") if "href" in one]

    def fields(self) -> list[dict[str, str]]:
        """Give all that can be filled in."""
        names = ("input", "select", "textarea")
        return [said for tag, said in self.tags if tag in names and said.get("type") != "hidden"]

    def faults(self) -> list[str]:
        """Give what no page may have, or lacks."""
        found = [f"<{tag} {name}>" for tag, said in self.tags for name in said if _inline(name)]
        ids = Counter(said["id"] for _, said in self.tags if "id" in said)
        found += [f"id {name} is there {count} times" for name, count in ids.items() if count > 1]
        labelled = {said.get("for") for said in self.all("label")}
        found += [
            f"{said['name']} has no label"
            for said in self.fields()
            if "id" in said and said["id"] not in labelled
        ]
        found += [f"{said} has no alt" for said in self.all("img") if "alt" not in said]
        if len(self.all("h1")) != 1:
            found.append(f"it has {len(self.all('h1'))} headings of the first rank")
        if not self.all("html")[0].get("lang"):
            found.append("it has no language")
        if self.scripts.strip():
            found.append(f"it has something inline: {self.scripts}")
        return found


def _inline(name: str) -> bool:
    return name == "style" or name.startswith("on")
