"""How problems look in the OpenAPI description."""

from http import HTTPStatus
from typing import Any

from api.error_responses import PROBLEM_JSON
from api.schemas.service import ProblemView


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers with, beside those that every route may."""
    return {
        status: {
            "description": HTTPStatus(status).phrase,
            "content": {PROBLEM_JSON: {"schema": ProblemView.model_json_schema()}},
        }
        for status in statuses
    }
