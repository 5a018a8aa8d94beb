"""A connection to S3: calls of its operations from any thread.

Owns the session of s3fs (keys, region, endpoint, pool), waiting for answers in a way that can be
ended, and that no library writes keys into a log. Must not know what objects are for.

s3fs is the connection and its event loop; the operations are called as they are. Its own ones try
again by themselves, tell errors apart by ``errno`` alone, and cannot be ended.
"""

import asyncio
import logging
import threading
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, wait
from typing import Any, Final, TypeVar

from botocore.exceptions import ConnectionClosedError, NoCredentialsError
from s3fs import S3FileSystem

from localproc.errors import StagingError
from localproc_s3.failures import EXPIRED, code_of, explaining
from localproc_s3.object_body import Piece
from localproc_s3.options import ENDPOINT, S3Options, is_plain
from localproc_s3.staying import StayingSession

_T = TypeVar("_T")

#: Seconds within which a server answers what neither brings nor sends contents.
_ANSWERING: Final = 20.0
_QUICK: Final = frozenset(
    {
        "abort_multipart_upload",
        "create_multipart_upload",
        "delete_objects",
        "head_bucket",
        "head_object",
        "list_multipart_uploads",
        "list_objects_v2",
        "list_parts",
    }
)
_UNSAID: Final = "400"  #: the code of what HEAD cannot say, such as that a key has expired
_SETTLING: Final = 120.0  #: seconds; the connection has given up by then
_LOOK: Final = 0.05  #: seconds between two looks at whether anybody still waits
#: Their debugging texts have keys and signatures in them.
_TALKATIVE: Final = ("botocore", "aiobotocore", "s3fs", "fsspec", "boto3", "aiohttp")
#: Their warnings have what helpers printed that were to give keys; errors say that there is none.
_NEVER_HEARD: Final = ("botocore.credentials", "aiobotocore.credentials")


class Connection:
    """Calls operations of S3. Several threads may do so at once."""

    def __init__(self, options: S3Options, endpoint: str = "") -> None:
        for name in _TALKATIVE:
            if not logging.getLogger(name).level:
                logging.getLogger(name).setLevel(logging.INFO)
        for name in _NEVER_HEARD:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        self._options = options
        self._secrets = (options.secret, options.token)
        session = {"profile": options.profile} if options.profile else {}
        self._files: Any = S3FileSystem(
            anon=options.anonymous,
            endpoint_url=endpoint or options.endpoint or None,
            key=options.key or None,
            secret=options.secret or None,
            token=options.token or None,
            client_kwargs={"region_name": options.region} if options.region else {},
            config_kwargs=_config(options),
            use_listings_cache=False,
            skip_instance_cache=True,
            **session,
        )
        self._lock = threading.Lock()
        self._is_open = False

    def __reduce__(self) -> Any:
        raise TypeError("a connection is not to be pickled: there are keys in it")

    @property
    def client(self) -> Any:
        """The client of botocore, for what it knows of itself."""
        with self._lock:
            if not self._is_open:
                self.wait(self._begun(_client(self._files)))
                self._is_open = True
        return self._files.s3

    def call(self, operation: str, uri: str, **arguments: Any) -> Any:
        """Return what an operation answers; raises ``StagingError`` that names the URI."""
        with self.explaining(uri):
            return self.wait(self.begin(operation, **arguments))

    def begin(self, operation: str, **arguments: Any) -> "Future[Any]":
        """Begin an operation; its errors are those of botocore."""
        return self._begun(self._called(self._files, operation, arguments))

    def explaining(self, uri: str, etag: str = "") -> explaining:
        """Return what turns errors into localproc's."""
        return explaining(uri, self._secrets, etag)

    def wait(self, future: "Future[_T]", watch: Callable[[], None] | None = None) -> _T:
        """Return what has been begun; what ``watch`` raises ends the waiting."""
        while not wait([future], _LOOK if watch else None).done:
            assert watch is not None
            watch()
        return future.result()

    def leave(self, futures: Collection["Future[Any]"], *, settled: bool) -> None:
        """Let go of what has been begun: end it, or let it be done if others build upon that."""
        if settled:
            wait(futures, _SETTLING)
        for future in futures:
            future.cancel()

    def presigned(self, bucket: str, key: str, seconds: int) -> str:
        """Return a URL that anybody can read an object at."""
        _ = self.client
        place = {"Bucket": bucket, "Key": key}
        making = self._files.s3.generate_presigned_url("get_object", place, seconds)
        return str(self.wait(self._begun(making)))

    def keys(self) -> Mapping[str, Any]:
        """Return the keys that hold now; raises ``StagingError`` if there are none."""
        if self._options.key:
            mine = self._options
            return _named(mine.key, mine.secret, mine.token)
        _ = self.client
        with self.explaining("s3:"):
            frozen = self.wait(self._begun(self._frozen()))
        return _named(frozen.access_key, frozen.secret_key, frozen.token)

    def close(self) -> None:
        """Let go of the connections: s3fs closes them with its file system."""
        self._files = None

    def _begun(self, making: Any) -> "Future[Any]":
        files = self._files
        if files is None:  # by a thread that nobody waits for any more
            making.close()
            raise StagingError("the connection to S3 has been closed")
        return asyncio.run_coroutine_threadsafe(making, files.loop)

    async def _frozen(self) -> Any:
        known = await self._files.session.get_credentials()
        if known is None:
            raise NoCredentialsError
        return await known.get_frozen_credentials()

    async def _called(self, files: Any, operation: str, arguments: dict[str, Any]) -> Any:
        client = await _client(files)
        if self._options.requester_pays and _is_payable(client, operation):
            arguments["RequestPayer"] = "requester"
        try:
            answer = await self._answer(client, operation, arguments)
        except Exception as error:
            said = code_of(error)
            if said not in EXPIRED and said != _UNSAID:
                raise
            client = await files.set_session(refresh=True)  # the next try asks for keys again
            if said != _UNSAID:
                raise
            answer = await self._answer(client, operation, arguments)
        return answer

    async def _answer(self, client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        limit = _ANSWERING if operation in _QUICK else None  # others: see read_timeout
        if "Body" in arguments:
            answer = await asyncio.wait_for(self._sent(client, operation, arguments), limit)
        else:
            answer = await asyncio.wait_for(getattr(client, operation)(**arguments), limit)
        if operation == "get_object":
            async with answer["Body"] as body:  # it is closed, too, if it is cut short
                answer["Data"] = await body.read()
        return answer

    async def _sent(self, client: Any, operation: str, arguments: dict[str, Any]) -> Any:
        """Send bytes piece by piece: of many of them asyncio makes copies, again and again.

        The server may have closed the connection while nobody used it. aiohttp asks once more
        then, but not with pieces; a PUT may be repeated (RFC 9110, 9.2.2).
        """
        data = arguments["Body"]
        try:
            return await getattr(client, operation)(**{**arguments, "Body": Piece(data)})
        except ConnectionClosedError:
            return await getattr(client, operation)(**{**arguments, "Body": Piece(data)})


async def _client(files: Any) -> Any:
    """Return the client; raises ``StagingError`` if what names the server has a key in it."""
    client = await files.set_session()
    if not is_plain(client.meta.endpoint_url):
        raise StagingError("the endpoint of S3 cannot be used", hint=ENDPOINT)
    return client


def _is_payable(client: Any, operation: str) -> bool:
    """Whether S3 can be told that whoever asks pays: parts of an upload, and their end, as well."""
    known = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    return known.input_shape is not None and "RequestPayer" in known.input_shape.members


def _config(options: S3Options) -> dict[str, Any]:
    """Return what botocore is told: the engine tries again, and says what has to be verified."""
    return {
        "http_session_cls": StayingSession,
        "signature_version": "s3v4",
        "max_pool_connections": 32,
        "connect_timeout": 10,
        "read_timeout": 60,
        "retries": {"total_max_attempts": 1},
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "s3": {"addressing_style": options.addressing},
    }


def _named(key: str, secret: str, token: str) -> Mapping[str, Any]:
    return {"access_key_id": key, "secret_access_key": secret, "token": token or None}
