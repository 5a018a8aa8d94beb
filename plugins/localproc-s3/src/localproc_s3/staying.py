"""Requests that stay with the server that was named.

Owns that no redirect is followed: aiohttp would take some keys out of a request that goes on to
another host, but not the token of temporary ones. Must not know S3 beyond how it names a region.

What says the region that a bucket lies in is left to botocore, which asks there by itself; of any
other redirect it would ask why, again and again.
"""

from functools import partial
from types import SimpleNamespace
from typing import Any, Final

from aiobotocore.httpsession import AIOHTTPSession

from localproc.errors import StagingError

_REDIRECTS: Final = (301, 302, 303, 307, 308)


class StayingSession(AIOHTTPSession):  # type: ignore[misc]
    """A session of aiobotocore that refuses to be sent on."""

    async def _get_session(self, proxy_url: Any) -> Any:
        session = await super()._get_session(proxy_url)
        return SimpleNamespace(request=partial(_asked, session))


async def _asked(session: Any, *named: Any, **options: Any) -> Any:
    answer = await session.request(*named, allow_redirects=False, **options)
    if answer.status in _REDIRECTS and "x-amz-bucket-region" not in answer.headers:
        answer.release()
        raise StagingError(
            "the server sends on to another, which is not asked with the keys for this one",
            hint="give the other server as the endpoint of the storage",
        )
    return answer
