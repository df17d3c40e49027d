"""AWS's Signature Version 4, verified: the canonical request is the one that botocore computes when it signs."""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.requests import Request

from api.rekognition.errors import RekognitionError

_SERVICE = "rekognition"
#: AWS takes a request for five minutes before and after its time.
MAX_SKEW_S = 300.0
_DATE_HEADER = "x-amz-date"
_BODY_HASH_HEADER = "x-amz-content-sha256"
_TIMESTAMP = re.compile(r"\d{8}T\d{6}Z", re.ASCII)
_AUTHORIZATION = re.compile(
    r"AWS4-HMAC-SHA256 +Credential=([\w+=.@-]+)/(\d{8})/([a-z0-9-]+)/([a-z0-9-]+)/aws4_request *, *"
    r"SignedHeaders=([a-z0-9;_-]+) *, *Signature=([0-9a-f]{64})",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Signature:
    """What a signed request says about its signature."""

    key_id: str
    date: str
    region: str
    service: str
    signed_headers: frozenset[str]
    signature: str


def read_signature(request: Request) -> Signature:
    """Read the header Authorization.

    Raises:
        RekognitionError: there is none, or it is none of Signature Version 4.
    """
    authorization = request.headers.get("authorization")
    if authorization is None:
        raise RekognitionError("MissingAuthenticationTokenException", "The request is not signed.")
    match = _AUTHORIZATION.fullmatch(authorization.strip())
    if match is None:
        raise RekognitionError(
            "IncompleteSignatureException",
            "The header Authorization is not that of AWS Signature Version 4 (AWS4-HMAC-SHA256 Credential=..., "
            "SignedHeaders=..., Signature=...).",
        )
    key_id, date, region, service, signed_headers, signature = match.groups()
    return Signature(key_id, date, region, service, frozenset(signed_headers.split(";")), signature)


def verify_signature(request: Request, body: bytes, signed: Signature, secret: str, now_s: float) -> None:
    """Return when the request was signed with the secret, whole and lately.

    Args:
        request: its path, query and headers are looked at.
        body: all of it.
        signed: what the request says.
        secret: of the access key that it names.
        now_s: seconds since 1970.

    Raises:
        RekognitionError: with AWS's code.
    """
    timestamp = request.headers.get(_DATE_HEADER, "")
    _check_time(timestamp, signed, now_s)
    _check_scope(request, signed)
    if _BODY_HASH_HEADER in request.headers:
        _check_body(request.headers[_BODY_HASH_HEADER], body)
    expected = _sign(request, body, signed, secret, timestamp)
    if not hmac.compare_digest(expected.encode(), signed.signature.encode()):
        raise _invalid("the signature is not that of this request under the secret of this access key")


def _sign(request: Request, body: bytes, signed: Signature, secret: str, timestamp: str) -> str:
    raw_path: bytes = request.scope.get("raw_path") or request.scope["path"].encode()
    query: bytes = request.scope["query_string"]
    url = f"http://{request.headers.get('host', '')}{raw_path.decode('latin-1')}?{query.decode('latin-1')}"
    signable = AWSRequest(request.method, url, data=body)
    for name in signed.signed_headers:
        for value in request.headers.getlist(name):
            signable.headers.add_header(name, value)
    signable.context["timestamp"] = timestamp
    signer = SigV4Auth(Credentials(signed.key_id, secret), signed.service, signed.region)
    canonical: str = signer.canonical_request(signable)
    signature: str = signer.signature(signer.string_to_sign(signable, canonical), signable)
    return signature


def _check_time(timestamp: str, signed: Signature, now_s: float) -> None:
    try:
        moment = datetime.fromisoformat(timestamp if _TIMESTAMP.fullmatch(timestamp) else "")
    except ValueError as error:
        raise RekognitionError(
            "IncompleteSignatureException", "The header X-Amz-Date is missing, or is not like 20300131T235959Z."
        ) from error
    if timestamp[:8] != signed.date:
        raise _invalid("the date of the credential's scope is not that of X-Amz-Date")
    if abs(moment.timestamp() - now_s) > MAX_SKEW_S:
        now = datetime.fromtimestamp(now_s, UTC).strftime(SIGV4_TIMESTAMP)
        raise _invalid(f"Signature expired: {timestamp} is more than 5 minutes away from {now}, the server's time")


def _check_scope(request: Request, signed: Signature) -> None:
    if signed.service != _SERVICE:
        raise _invalid(f"the credential's scope is the service {signed.service}, not {_SERVICE}")
    must_be = {"host", *(name for name in request.headers if name.startswith("x-amz-"))}
    missing = sorted(must_be - signed.signed_headers)
    if missing:
        raise _invalid(f"headers that are not signed: {', '.join(missing)}")


def _check_body(claimed_hash: str, body: bytes) -> None:
    """Whoever names the hash of the body is believed by the signer: it has to be true, and not UNSIGNED-PAYLOAD."""
    if not hmac.compare_digest(claimed_hash.encode(), hashlib.sha256(body).hexdigest().encode()):
        raise _invalid("X-Amz-Content-SHA256 is not the hash of the body")


def _invalid(why: str) -> RekognitionError:
    return RekognitionError("InvalidSignatureException", f"{why[0].upper()}{why[1:]}.")
