"""The logs of all jobs, to be searched.

Owns that resource. Must not know how logs are searched.
"""

from starlette.responses import Response

from localproc.http.answers import bad_parameter
from localproc.http.exchange import Exchange
from localproc.views.found_lines import FoundLogs, found_document


def search(exchange: Exchange) -> Response:
    """Answer with the logs that have all words of ``search``; the page has a form for it."""
    text = (exchange.query("search") or "").strip()
    if not text and not exchange.wants_html:
        raise bad_parameter("search", "is missing: the words that a log has to have")
    limit = exchange.limit(20)
    found = exchange.engine.search_logs(text, limit=limit) if text else FoundLogs(())
    if exchange.wants_html:
        return exchange.page("logs.html", {"found": found, "text": text})
    return exchange.without_home(exchange.document(found_document(found, exchange.base)))
