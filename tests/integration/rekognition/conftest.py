"""An unmodified SDK against a running server: only `endpoint_url` is ours."""

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import boto3
import httpx
import pytest
from botocore.config import Config

from api.dependencies import Services
from tests.integration.api import conftest as api_conftest

#: boto3 ships no types.
SdkClient: TypeAlias = Any

open_drawn_services = api_conftest.open_drawn_services


@pytest.fixture
def services(open_drawn_services: Callable[..., Any]) -> Iterator[Services]:
    with open_drawn_services() as opened:
        yield opened


@pytest.fixture
def http(services: Services) -> Iterator[httpx.Client]:
    with api_conftest.serving(services) as client:
        yield client


def connect_sdk(url: str, **credentials: str) -> SdkClient:
    return boto3.client(
        "rekognition",
        endpoint_url=url,
        region_name="eu-west-1",
        aws_access_key_id=credentials.get("key_id", "any"),
        aws_secret_access_key=credentials.get("secret", "any"),
        config=Config(retries={"max_attempts": 1, "mode": "standard"}),
    )


@pytest.fixture
def sdk(http: httpx.Client) -> Iterator[SdkClient]:
    client = connect_sdk(str(http.base_url))
    yield client
    client.close()


def people(*numbers: int) -> dict[str, bytes]:
    """An image that `DrawnRecognizer` reads: a face of each of these people."""
    return {"Bytes": " ".join(["people", *map(str, numbers)]).encode()}
