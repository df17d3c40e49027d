"""What is deployed: read once, checked by the tests of this folder."""

from pathlib import Path

import pytest

CHECKOUT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def checkout() -> Path:
    return CHECKOUT
