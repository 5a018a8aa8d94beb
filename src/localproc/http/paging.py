"""Links of a page in a list.

Owns ``self``, ``alternate``, ``next`` and ``prev``. Must not know what is listed.
"""

from collections.abc import Mapping, Sequence
from urllib.parse import urlencode

from localproc.http.answers import HTML, JSON
from localproc.http.exchange import Exchange


def page_links(
    exchange: Exchange, *, after: str | None = None, before: str | None = None
) -> list[dict[str, str]]:
    """Return the links of a page.

    The next page comes ``after`` the last id of this one, the page before it ends ``before`` its
    first; ``None`` where there is no such page.
    """
    kept = [
        pair for pair in exchange.request.query_params.multi_items() if pair[1] and pair[0] != "f"
    ]
    plain = [pair for pair in kept if pair[0] not in ("before", "after")]
    place = exchange.own_url
    links = [
        _link("self", JSON, place, kept, "This page"),
        _link("alternate", HTML, place, [*kept, ("f", "html")], "This page for people"),
    ]
    if after is not None:
        more = [*plain, ("after", after)]
        links.append(_link("next", JSON, place, more, "The next page"))
    if before is not None:
        more = [*plain, ("before", before)]
        links.append(_link("prev", JSON, place, more, "The page before"))
    return links


def link_header(links: Sequence[Mapping[str, str]]) -> str:
    """Write links as the header ``Link`` (RFC 8288)."""
    return ", ".join(f'<{one["href"]}>; rel="{one["rel"]}"; type="{one["type"]}"' for one in links)


def _link(
    rel: str, kind: str, place: str, query: list[tuple[str, str]], title: str
) -> dict[str, str]:
    href = f"{place}?{urlencode(query)}" if query else place
    return {"rel": rel, "type": kind, "href": href, "title": title}
