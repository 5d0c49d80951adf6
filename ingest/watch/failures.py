"""Why a message did not get through, in our own words: those of libraries name hosts and tokens."""

import errno
import os
import smtplib
import socket
import ssl
from collections.abc import Iterator
from http import HTTPStatus
from typing import Final

# Of OpenSSL's verification.
_CERTIFICATE: Final = {
    10: "it has expired",
    18: "it is self-signed",
    19: "it is self-signed",
    20: "its issuer is not known here",
    21: "its issuer is not known here",
    62: "it is of another host",
    64: "it is of another host",
}
_KINDS: Final[dict[type[BaseException], str]] = {
    TimeoutError: "no answer in time",
    smtplib.SMTPException: "the mail server breaks off",
    ValueError: "the address cannot be used",
    OverflowError: "the address cannot be used",
}
_NOT_REACHED: Final = (ConnectionRefusedError, socket.gaierror, ssl.SSLCertVerificationError)


def failure_words(error: BaseException) -> str:
    """Say what went wrong, with nothing of an address in it."""
    for each in _causes(error):
        if words := _words(each):
            return words
    return f"it failed ({type(error).__name__})"


def reached_none(error: BaseException) -> bool:
    """Whether the receiver has certainly not taken the message."""
    return any(isinstance(each, _NOT_REACHED) or _smtp_code(each) for each in _causes(error))


def status_words(status: int) -> str:
    """Name an HTTP status."""
    try:
        return f"HTTP {status} {HTTPStatus(status).phrase}"
    except ValueError:
        return f"HTTP {status}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Walk from an error to what caused it, the innermost first: it knows most."""
    seen: list[BaseException] = []
    cause: BaseException | None = error
    while cause is not None and cause not in seen:
        seen.append(cause)
        several = cause.exceptions if isinstance(cause, BaseExceptionGroup) else ()
        cause = several[0] if several else cause.__cause__ or cause.__context__
    return reversed(seen)


def _words(error: BaseException) -> str:
    if code := _smtp_code(error):
        return f"the mail server answers {code}{_smtp_meaning(code)}"
    match error:
        case ssl.SSLError():
            return f"TLS: {_tls_words(error)}"
        case socket.gaierror():
            return "the name of its host cannot be looked up"
        case OSError(errno=int() as number) if number in errno.errorcode:
            return os.strerror(number).lower()
    return next((words for kind, words in _KINDS.items() if isinstance(error, kind)), "")


def _tls_words(error: ssl.SSLError) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        why = _CERTIFICATE.get(error.verify_code, "it cannot be verified")
        return f"the certificate is not accepted, {why}"
    return (error.reason or "the handshake failed").replace("_", " ").lower()


def _smtp_code(error: BaseException) -> int:
    match error:
        case smtplib.SMTPResponseException():
            return int(error.smtp_code)
        case smtplib.SMTPRecipientsRefused():
            return int(next(iter(error.recipients.values()))[0])
        case _:
            return 0


def _smtp_meaning(code: int) -> str:
    """Say what a class of replies means (RFC 5321, 4.2.1)."""
    return {4: ": not now, try again", 5: ": refused"}.get(code // 100, "")
