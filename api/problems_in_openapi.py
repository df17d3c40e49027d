"""How problems look in the OpenAPI description."""

from functools import cache
from http import HTTPStatus
from typing import Any

from api.error_responses import PROBLEM_JSON
from api.schemas.service import ProblemView


def problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Describe the problems that a route answers with, beside those that every route may."""
    content = {PROBLEM_JSON: {"schema": _problem_schema()}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


@cache  # made for each of 130 uses, it was a tenth of what loading the API takes
def _problem_schema() -> dict[str, Any]:
    return ProblemView.model_json_schema()
