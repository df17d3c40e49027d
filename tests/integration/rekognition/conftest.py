"""An unmodified SDK against a running server that verifies signatures: only `endpoint_url` is ours."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import boto3
import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

from api.dependencies import Services
from facefleet.identity.api_key import DrawnKey, draw_key
from facefleet.identity.caller import Scope
from facefleet.identity.derivation import derive_aws_secret
from facefleet.ledger.keys import KeyGrant
from facefleet.records import DEFAULT_TENANT
from tests.fixtures.keys import MASTER_SECRET
from tests.integration.api import conftest as api_conftest

REGION = "eu-west-1"

#: boto3 ships no types.
SdkClient: TypeAlias = Any

open_drawn_services = api_conftest.open_drawn_services


@pytest.fixture
def services(open_drawn_services: Callable[..., Any]) -> Iterator[Services]:
    with open_drawn_services(master_secret=MASTER_SECRET, key_requests_per_s=1e6, key_burst_requests=10**6) as opened:
        yield replace(opened, keys_are_on=True)


class SignedAuth(httpx.Auth):
    """Signs what goes to the Rekognition protocol as an SDK does, and shows the key to other routes."""

    requires_request_body = True

    def __init__(self, key: DrawnKey) -> None:
        self.key = key

    def auth_flow(self, request: httpx.Request) -> Iterator[httpx.Request]:  # type: ignore[override]
        if request.method == "POST" and request.url.path == "/":
            kept = {name: request.headers[name] for name in ("x-amz-target", "content-type") if name in request.headers}
            signable = AWSRequest("POST", str(request.url), headers=kept, data=request.content)
            SigV4Auth(Credentials(self.key.id, secret_of(self.key)), "rekognition", REGION).add_auth(signable)
            request.headers.update(dict(signable.headers.items()))
        else:
            request.headers["X-Api-Key"] = self.key.text
        yield request


def secret_of(key: DrawnKey) -> str:
    return derive_aws_secret(MASTER_SECRET, key.id)


def add_key(services: Services, *scopes: Scope, tenant: str = DEFAULT_TENANT, **limits: Any) -> DrawnKey:  # noqa: ANN401  see KeyGrant
    drawn = draw_key()
    services.ledger.keys.add(drawn, KeyGrant(tenant, "test", scopes or [Scope.ADMIN], **limits))
    return drawn


@pytest.fixture
def key(services: Services) -> DrawnKey:
    return add_key(services)


@pytest.fixture
def http(services: Services, key: DrawnKey) -> Iterator[httpx.Client]:
    with api_conftest.serving(services) as client:
        client.auth = SignedAuth(key)
        yield client


def connect_sdk(url: str, **credentials: str) -> SdkClient:
    return boto3.client(
        "rekognition",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id=credentials.get("key_id", "any"),
        aws_secret_access_key=credentials.get("secret", "any"),
        config=Config(retries={"max_attempts": 1, "mode": "standard"}),
    )


@pytest.fixture
def sdk(http: httpx.Client, key: DrawnKey) -> Iterator[SdkClient]:
    client = connect_sdk(str(http.base_url), key_id=key.id, secret=secret_of(key))
    yield client
    client.close()


def people(*numbers: int) -> dict[str, bytes]:
    """An image that `DrawnRecognizer` reads: a face of each of these people."""
    return {"Bytes": " ".join(["people", *map(str, numbers)]).encode()}
