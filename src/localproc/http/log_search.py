"""The logs of all jobs, to be searched.

Owns that resource. Must not know how logs are searched.
"""

from starlette.responses import Response

from localproc.http.exchange import Exchange
from localproc.views.found_lines import FoundLogs, found_document


def search(exchange: Exchange) -> Response:
    """Answer with the logs that have all words of ``search``, none without it."""
    text = exchange.query("search") or ""
    limit = exchange.limit(20)
    found = exchange.engine.search_logs(text, limit=limit) if text else FoundLogs(())
    if exchange.wants_html:
        return exchange.page("logs.html", {"found": found, "text": text})
    return exchange.without_home(exchange.document(found_document(found, exchange.base)))
