"""Signatures that are forged, late, of nobody, or of a key that may not: each gets AWS's own error."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from botocore.auth import SIGV4_TIMESTAMP, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from api.dependencies import Services
from api.rekognition.operations import OPERATIONS
from facefleet.identity.api_key import DrawnKey, draw_key
from facefleet.identity.caller import Scope
from tests.fixtures.keys import MASTER_SECRET
from tests.integration.api import conftest as api_conftest
from tests.integration.rekognition.conftest import REGION, SdkClient, add_key, connect_sdk, people, secret_of
from tests.integration.rekognition.test_fuzz import VALID

BODY = json.dumps({"CollectionId": "album"}).encode()
TARGET = "RekognitionService.CreateCollection"


@pytest.fixture
def http(services: Services) -> Iterator[httpx.Client]:
    """A client that signs nothing by itself."""
    with api_conftest.serving(services) as client:
        yield client


@pytest.fixture
def as_key(http: httpx.Client) -> Iterator[Callable[..., SdkClient]]:
    clients: list[SdkClient] = []

    def connect(key: DrawnKey, secret: str | None = None) -> SdkClient:
        clients.append(connect_sdk(str(http.base_url), key_id=key.id, secret=secret or secret_of(key)))
        return clients[-1]

    yield connect
    for client in clients:
        client.close()


def sign(
    http: httpx.Client, key: DrawnKey, *, late_s: float = 0, service: str = "rekognition", **headers: str
) -> dict[str, str]:
    """Headers of a request that was signed some time ago."""
    kept = {"x-amz-target": TARGET, "content-type": "application/x-amz-json-1.1", **headers}
    signable = AWSRequest("POST", str(http.base_url) + "/", headers=kept, data=BODY)
    moment = datetime.now(UTC) - timedelta(seconds=late_s)
    signable.context["timestamp"] = moment.strftime(SIGV4_TIMESTAMP)
    signable.headers["X-Amz-Date"] = signable.context["timestamp"]
    signer = SigV4Auth(Credentials(key.id, secret_of(key)), service, REGION)
    text = signer.string_to_sign(signable, signer.canonical_request(signable))
    signer._inject_signature_to_request(signable, signer.signature(text, signable))
    return dict(signable.headers.items())


def code_of(answer: httpx.Response) -> str:
    assert answer.headers["x-amzn-requestid"]
    assert (answer.json()["Code"], bool(answer.json()["Message"])) == (answer.json()["__type"], True)
    return str(answer.json()["__type"]) if answer.status_code == 400 else str(answer.status_code)


def refused(sdk: SdkClient, operation: str, **request: Any) -> str:  # noqa: ANN401  as boto3 has it
    with pytest.raises(ClientError) as refusal:
        getattr(sdk, operation)(**request)
    assert refusal.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    return str(refusal.value.response["Error"]["Code"])


def test_a_key_that_is_unknown_or_has_ended_signs_for_nobody(services: Services, as_key: Any) -> None:  # noqa: ANN401
    revoked, expired = add_key(services), add_key(services, expires_in_s=-1.0)
    services.ledger.keys.revoke(revoked.id)
    for key in (draw_key(), revoked, expired):
        assert refused(as_key(key), "list_collections") == "UnrecognizedClientException"


def test_another_secret_is_a_forgery(services: Services, as_key: Any) -> None:  # noqa: ANN401  a function
    key, other = add_key(services), add_key(services)
    for secret in ("guess", secret_of(other), key.text, key.secret_hash):
        assert refused(as_key(key, secret), "list_collections") == "InvalidSignatureException"


def test_what_was_signed_is_what_is_answered(http: httpx.Client, services: Services) -> None:
    headers = sign(http, add_key(services))
    changed = [
        {"headers": headers, "content": BODY.replace(b"album", b"other")},
        {"headers": headers | {"x-amz-target": "RekognitionService.DeleteCollection"}, "content": BODY},
        {"headers": headers | {"host": "elsewhere"}, "content": BODY},
        {"headers": headers, "content": BODY, "params": {"a": "b"}},
        {"headers": headers | {"x-amz-security-token": "unsigned"}, "content": BODY},
        {"headers": headers | {"x-amz-content-sha256": "UNSIGNED-PAYLOAD"}, "content": BODY},
    ]
    for request in changed[:2] + changed[3:]:
        assert code_of(http.post("/", **request)) == "InvalidSignatureException", request  # type: ignore[arg-type]
    assert http.post("/", **changed[2]).status_code == 421  # type: ignore[arg-type]  # not a name of this server
    assert http.post("/", headers=headers, content=BODY).status_code == 200


@pytest.mark.parametrize("claimed", ["UNSIGNED-PAYLOAD", "0" * 64])
def test_a_claim_about_the_body_has_to_be_true_even_if_signed(
    http: httpx.Client, services: Services, claimed: str
) -> None:
    headers = sign(http, add_key(services), **{"X-Amz-Content-SHA256": claimed})
    assert code_of(http.post("/", headers=headers, content=BODY)) == "InvalidSignatureException"


@pytest.mark.parametrize(("late_s", "code"), [(290, "200"), (310, "InvalidSignatureException")])
@pytest.mark.parametrize("sign_of_skew", [1, -1])
def test_a_request_is_taken_for_five_minutes(
    http: httpx.Client, services: Services, late_s: float, code: str, sign_of_skew: int
) -> None:
    headers = sign(http, add_key(services), late_s=sign_of_skew * late_s)
    answer = http.post("/", headers=headers, content=BODY)
    assert (str(answer.status_code) if answer.is_success else code_of(answer)) == code


def test_the_date_and_service_of_the_scope_are_those_of_the_request(http: httpx.Client, services: Services) -> None:
    key = add_key(services)
    assert code_of(http.post("/", headers=sign(http, key, service="s3"), content=BODY)) == "InvalidSignatureException"
    headers = sign(http, key)
    headers["X-Amz-Date"] = "20200101T000000Z"
    assert code_of(http.post("/", headers=headers, content=BODY)) == "InvalidSignatureException"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"Authorization": None}, "MissingAuthenticationTokenException"),
        ({"Authorization": "Bearer x"}, "IncompleteSignatureException"),
        ({"Authorization": "AWS4-HMAC-SHA256 Credential=FFK/x"}, "IncompleteSignatureException"),
        ({"Authorization": "AWS4-HMAC-SHA256 " + "=" * 60_000}, "IncompleteSignatureException"),
        ({"X-Amz-Date": None}, "IncompleteSignatureException"),
        ({"X-Amz-Date": "today"}, "IncompleteSignatureException"),
    ],
)
def test_what_is_no_signature_is_called_that(
    http: httpx.Client, services: Services, change: dict[str, str | None], code: str
) -> None:
    headers: dict[str, str | None] = {**sign(http, add_key(services)), **change}
    sent = {name: value for name, value in headers.items() if value is not None}
    assert code_of(http.post("/", headers=sent, content=BODY)) == code


def test_a_scope_opens_its_operations_and_no_others(http: httpx.Client, services: Services) -> None:
    clients = {scope: add_key(services, scope) for scope in Scope}
    for name, operation in OPERATIONS.items():
        for scope, key in clients.items():
            body = json.dumps(VALID[name]).encode()
            headers = {"x-amz-target": f"RekognitionService.{name}"}
            signable = AWSRequest("POST", str(http.base_url) + "/", headers=headers, data=body)
            SigV4Auth(Credentials(key.id, secret_of(key)), "rekognition", REGION).add_auth(signable)
            answer = http.post("/", headers=dict(signable.headers.items()), content=body)
            is_denied = answer.json().get("__type") == "AccessDeniedException"
            assert is_denied == (scope not in {operation.needs, Scope.ADMIN}), (name, scope, answer.text)


def test_tenants_and_albums_keep_to_themselves(services: Services, as_key: Any) -> None:  # noqa: ANN401  a function
    one, two = (as_key(add_key(services, tenant=tenant)) for tenant in ("one", "two"))
    limited = as_key(add_key(services, tenant="one", albums=["mine"]))
    for sdk in (one, two):
        sdk.create_collection(CollectionId="people")
    face = one.index_faces(CollectionId="people", Image=people(1))["FaceRecords"][0]["Face"]["FaceId"]
    assert two.search_faces_by_image(CollectionId="people", Image=people(1))["FaceMatches"] == []
    assert refused(two, "search_faces", CollectionId="people", FaceId=face) == "InvalidParameterException"
    assert two.delete_faces(CollectionId="people", FaceIds=[face])["DeletedFaces"] == []
    assert limited.list_collections()["CollectionIds"] == []
    assert refused(limited, "describe_collection", CollectionId="people") == "ResourceNotFoundException"
    assert refused(limited, "create_collection", CollectionId="others") == "AccessDeniedException"
    limited.create_collection(CollectionId="mine")
    assert one.list_collections()["CollectionIds"] == ["mine", "people"]
    assert two.list_collections()["CollectionIds"] == ["people"]


def test_a_key_that_asks_too_often_is_throttled(open_drawn_services: Any) -> None:  # noqa: ANN401  a function
    slow = {"master_secret": MASTER_SECRET, "key_burst_requests": 2, "key_requests_per_s": 0.01}
    with open_drawn_services(**slow) as opened:
        services = replace(opened, keys_are_on=True)
        with api_conftest.serving(services) as http:
            key = add_key(services)
            sdk = connect_sdk(str(http.base_url), key_id=key.id, secret=secret_of(key))
            assert [sdk.list_collections()["CollectionIds"] for _ in range(2)] == [[], []]
            assert refused(sdk, "list_collections") == "ThrottlingException"
            sdk.close()
