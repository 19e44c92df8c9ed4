"""What stores and servers refuse with: libraries' errors of many kinds -> one line, and whether it may pass."""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from cartoonize.errors import CartoonizeError, EncodeError, first_line, without_secrets
from cartoonize.remote.urls import BUCKETS, Url

FOR_ALL, OF_MANY, OF_MOST = 1, 20, 100  # failures in a row after which a run ends, by what they are a sign of

_FOR_GOOD = (FileNotFoundError, PermissionError, FileExistsError, IsADirectoryError, NotADirectoryError)
_PASSING = frozenset(  # names of errors that are no OSErrors: their libraries may be absent
    {
        "ClientConnectionError",
        "ClientPayloadError",
        "ConnectionError",
        "HTTPClientError",
        "IncompleteRead",
        "IncompleteReadError",
        "ResponseParserError",
        "ServiceRequestError",
        "ServiceResponseError",
        "TransportError",
    }
)
_PASSING_STATUS = (408, 409, 429)  # 409: another writes the same object at this moment
_CREDENTIALS = frozenset(
    {
        "ClientAuthenticationError",
        "CredentialUnavailableError",
        "DefaultCredentialsError",
        "NoCredentialsError",
        "PartialCredentialsError",
        "RefreshError",
        "TokenRetrievalError",
        "UnauthorizedSSOTokenError",
    }
)
_OF_THE_KEY = frozenset(  # S3's words for what is wrong with every request that is signed so
    {
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidToken",
        "NoSuchBucket",
        "RequestTimeTooSkewed",
        "SignatureDoesNotMatch",
        "TokenRefreshRequired",
    }
)
_HOW_TO_SIGN_IN: Mapping[str, str] = MappingProxyType(
    {
        "s3": "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
        "gcs": "run `gcloud auth application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS",
        "azure": "set AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY, or AZURE_STORAGE_CONNECTION_STRING",
    }
)
_QUERY = re.compile(r"(?<=/)\?[^\s\"']*")  # what S3 is asked with, in messages that name the address
_CHECK_NETWORK = "check the address, the network and any proxy"


class StoreError(CartoonizeError):
    """A store cannot be used, or an address in it not be listed."""


class GivenUpError(Exception):
    """What may pass did not: its cause is the last of several tries."""

    def __init__(self, tries: int) -> None:
        super().__init__(f"tried {tries} times")
        self.tries = tries


def status_of(error: BaseException | None) -> int | None:
    """Return the status of the answer an error tells of, by its library's name for it; None where none came."""
    while error is not None:
        answer = getattr(error, "response", None)
        if isinstance(answer, Mapping):  # botocore
            return int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)) or None
        for name in ("status", "status_code", "code"):  # aiohttp, Azure, gcsfs
            if isinstance(status := getattr(error, name, None), int) and status >= 100:
                return status
        error = error.__cause__
    return None


def may_pass(error: BaseException) -> bool:
    """Whether the same request may succeed a little later: lost connections, timeouts, a server in trouble."""
    if isinstance(error, _FOR_GOOD) or _is_of_certificate(error):
        return False
    if isinstance(error, TimeoutError):
        return True
    status = status_of(error)
    if status is not None:
        return status >= 500 or status in _PASSING_STATUS
    if isinstance(error, OSError):
        return error.errno != errno.EINVAL and not str(error).startswith("Forbidden")  # gcsfs' word for 403
    return not _PASSING.isdisjoint(kind.__name__ for kind in type(error).__mro__)


@contextmanager
def one_line(kind: type[CartoonizeError], url: Url, missing: str, refused: str) -> Iterator[None]:
    """Turn whatever a store raises into one line of `kind`; `missing` and `refused` say those two cases."""
    try:
        yield
    except (CartoonizeError, MemoryError):
        raise
    except Exception as error:
        extra = BUCKETS.get(url.scheme, "")
        last = (error.__cause__ or error) if isinstance(error, GivenUpError) else error
        if _is_missing(last):
            failure = kind(missing)
        elif _is_refusal(last):
            failure = kind(f"{refused} ({_text(last)})")
        else:
            failure = kind(reason_of(error, extra))
        if extra:  # on the web each address is one of its own
            failure.ends_after = FOR_ALL if _is_missing(last) and kind is EncodeError else _ends_after(last)
        raise failure from error


def reason_of(error: BaseException, extra: str) -> str:
    """Return one line on an error of the libraries that an extra brings ("" of none), and what to do."""
    tries = error.tries if isinstance(error, GivenUpError) else 1
    last = (error.__cause__ or error) if isinstance(error, GivenUpError) else error
    if extra in _HOW_TO_SIGN_IN and _is_of_credentials(last):
        return f"no credentials: {_HOW_TO_SIGN_IN[extra]}"
    if _is_of_certificate(last):
        return f"its certificate is not trusted: check the address and the clock, or set SSL_CERT_FILE ({_text(last)})"
    if status_of(last) is not None or not may_pass(last):
        return _several(tries) + _text(last)
    if isinstance(last, TimeoutError) or "Timeout" in type(last).__name__:
        return f"no answer in time: {_CHECK_NETWORK}, or try again later"
    return f"{_several(tries)}{_text(last)}: {_CHECK_NETWORK}"


def _several(tries: int) -> str:
    return f"tried {tries} times: " if tries > 1 else ""


def _text(error: BaseException) -> str:
    line = _QUERY.sub("", without_secrets(first_line(error)))
    return line.replace(" ssl:default", "").strip(" .:")


def _is_missing(error: BaseException) -> bool:
    """Whether what was asked for is not there: for somebody who writes, the bucket."""
    return isinstance(error, FileNotFoundError) or (not isinstance(error, OSError) and status_of(error) == 404)


def _is_refusal(error: BaseException) -> bool:
    is_forbidden = isinstance(error, PermissionError) or str(error).startswith("Forbidden")
    return is_forbidden or (status_of(error) in (401, 403) and not _is_of_credentials(error))


def _is_of_credentials(error: BaseException) -> bool:
    """Whether there are none, or no more: no store has answered, or one that it needs to know who asks."""
    if type(error).__name__ in _CREDENTIALS and status_of(error) is None:
        return True
    if "Must provide either a connection_string or account_name" in str(error):  # adlfs' words
        return True
    return status_of(error) == 401 and "nonymous" in str(error)


def _is_of_certificate(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 10:  # causes are no circle, contexts might be
        if isinstance(error, ssl.SSLCertVerificationError) or "Certificate" in type(error).__name__:
            return True
        if type(error).__name__ == "SSLError" and "CERTIFICATE" in str(error):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False


def _ends_after(error: BaseException) -> int:
    """Return how many such failures in a row are the end of a run, since what follows would fail alike."""
    cause = error.__cause__ or error
    answer = getattr(cause, "response", None)
    code = answer.get("Error", {}).get("Code") if isinstance(answer, Mapping) else None
    if code in _OF_THE_KEY or _is_of_credentials(error):
        return FOR_ALL
    if _is_missing(error):
        return OF_MOST
    return OF_MANY if _is_refusal(error) or may_pass(error) else 0


def is_answer(error: BaseException) -> bool:
    """Whether an error shows that the store was reached."""
    return isinstance(error, _FOR_GOOD) or status_of(error) is not None
