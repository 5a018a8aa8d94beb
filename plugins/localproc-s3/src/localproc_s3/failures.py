"""What went wrong with S3, in localproc's words.

Owns telling what may be better a moment later from what will not. Must not know what was asked.
"""

import ssl
from collections.abc import Iterable
from types import TracebackType
from typing import Any, Final

import aiohttp
import botocore.exceptions as aws
from botocore.parsers import ResponseParserError

from localproc.errors import NoSuchObject, ObjectExists, StagingError, StorageUnavailable
from localproc.storage.addresses import redacted

_PASSING: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
#: Codes that pass, whatever the status: somebody else is at it, or bytes were lost on the way.
_PASSING_CODES: Final = frozenset(
    {
        "SlowDown",
        "RequestTimeout",
        "InternalError",
        "ServiceUnavailable",
        "Throttling",
        "ThrottlingException",
        "OperationAborted",
        "ConditionalRequestConflict",
        "BadDigest",
        "IncompleteBody",
        "MalformedXML",  # botocore writes it well
        "XAmzContentSHA256Mismatch",
        "XAmzContentChecksumMismatch",
    }
)
EXPIRED: Final = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})
_NOTHING: Final = frozenset({"NoSuchKey", "NoSuchVersion", "NoSuchUpload", "404", "NotFound"})
_HINTS: Final = {
    "NoSuchBucket": "make the bucket, or name another one",
    "AccessDenied": "the key may not do that: see the bucket's policy",
    "403": "the key may not do that, or there is none: see the bucket's policy",
    "InvalidAccessKeyId": "see the options of the storage, or the AWS_* variables",
    "SignatureDoesNotMatch": "see the secret key in the options of the storage, or the AWS_* ones",
    "RequestTimeTooSkewed": "set the clock of this machine",
    "InvalidBucketName": "a bucket has 3 to 63 small letters, digits and hyphens",
}
_NO_KEYS: Final = (
    "give a key in the options of the storage or in the AWS_* variables, or the option anonymous"
)
_NO_HELP: Final = "see what the profile of ~/.aws/config names for keys, and run that by hand"
_NO_TLS: Final = (
    "see the address: http or https; AWS_CA_BUNDLE names who may vouch for a server of one's own"
)


class explaining:  # noqa: N801 - reads as a statement
    """Says what went wrong with which URI, without what S3's libraries know besides."""

    def __init__(self, uri: str, secrets: Iterable[str] = (), etag: str = "") -> None:
        self._uri = redacted(uri)
        self._secrets = [one for one in secrets if one]
        self.etag = etag

    def __enter__(self) -> "explaining":
        return self

    def __exit__(
        self, kind: object, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, Exception) and not isinstance(error, StagingError):
            told = self.told(error)
            if told is not None:
                raise told from None

    def told(self, error: Exception) -> StagingError | None:
        """Return an error in localproc's words, ``None`` for one that is not S3's."""
        if isinstance(error, aws.ClientError):
            return self._refused(error)
        if isinstance(error, (aws.NoCredentialsError, aws.PartialCredentialsError)):
            return StagingError(f"{self._uri}: there is no key", uri=self._uri, hint=_NO_KEYS)
        inner = error.kwargs.get("error") if isinstance(error, aws.HTTPClientError) else None
        if isinstance(inner, StagingError):
            return StagingError(f"{self._uri}: {inner.message}", uri=self._uri, hint=inner.hint)
        if isinstance(error, aws.CredentialRetrievalError):  # its text is what a helper printed
            said = f"{self._uri}: no key can be had from {error.kwargs.get('provider')}"
            return StagingError(said, uri=self._uri, hint=_NO_HELP)
        if isinstance(error, aws.SSLError) and _is_lasting(error.kwargs.get("error")):
            return StagingError(f"{self._uri}: {self._plain(error)}", uri=self._uri, hint=_NO_TLS)
        if isinstance(error, (aws.HTTPClientError, aws.ConnectionError, aiohttp.ClientError)):
            return self._away(error)
        if isinstance(error, (TimeoutError, ConnectionError)):
            return self._away(error)
        if isinstance(error, ResponseParserError):  # what it quotes of the answer may be long
            return self._away(ValueError("it answers with what S3 does not say"))
        if isinstance(error, aws.BotoCoreError):
            return StagingError(f"{self._uri}: {self._plain(error)}", uri=self._uri)
        return None

    def _away(self, error: Exception) -> StorageUnavailable:
        said = self._plain(error) or type(error).__name__
        hint = "see that the server runs, and that its address is right"
        return StorageUnavailable(f"{self._uri}: {said}", uri=self._uri, hint=hint, etag=self.etag)

    def _refused(self, error: Any) -> StagingError:
        said, status = code_of(error), status_of(error)
        text = f"{self._uri}: {said}"
        detail = self._plain(error.response.get("Error", {}).get("Message", ""))
        if detail and detail != said:
            text = f"{text}: {detail}"
        if said in _NOTHING:
            return NoSuchObject(f"nothing is at {self._uri}", uri=self._uri)
        if said == "PreconditionFailed" or status == 412:
            return ObjectExists(f"{self._uri} is there already", uri=self._uri)
        if status in _PASSING or said in _PASSING_CODES or said in EXPIRED:
            return StorageUnavailable(
                text, uri=self._uri, retry_after=_retry_after(error), etag=self.etag
            )
        return StagingError(text, uri=self._uri, hint=_HINTS.get(said, ""))

    def _plain(self, said: object) -> str:
        text = str(said)
        for one in self._secrets:
            text = text.replace(one, "…")
        return text


def _is_lasting(error: object) -> bool:
    """Whether a server will answer no better later: it has another certificate, or no TLS."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return True
    inner = getattr(error, "os_error", None)
    return isinstance(inner, ssl.SSLError) and inner.reason == "WRONG_VERSION_NUMBER"


def code_of(error: BaseException) -> str:
    """Return S3's code of an error, nothing for any other."""
    response = getattr(error, "response", None) or {}
    return str(response.get("Error", {}).get("Code", "")) if isinstance(response, dict) else ""


def status_of(error: Any) -> int:
    """Return the HTTP status of an error."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode") or 0)


def _retry_after(error: Any) -> float:
    headers = error.response.get("ResponseMetadata", {}).get("HTTPHeaders") or {}
    said = str(headers.get("retry-after", ""))
    return float(said[:9]) if said.isascii() and said.isdigit() else 0.0
