"""Valid and invalid HTTP requests, which Schemathesis generates from the OpenAPI document."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import given
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

from tests.support.attacks.generated_cases import send_cases

MAX_RESPONSE_SECONDS = 10.0
"""Timeout of each request."""


@dataclass
class RequestReport:
    """Number of responses by status, and the paths that have no invalid requests.

    These take no parameters, or accept any text.
    """

    statuses: Counter[int] = field(default_factory=Counter)
    without_invalid: list[str] = field(default_factory=list)


def send_requests(url: str, token: str, cases: int, seed_number: int) -> RequestReport:
    """Send valid and invalid requests to each operation, with a valid token and without one.

    Raises AssertionError with the request for a status of 500 or more, and for a response that takes too long.
    """
    report = RequestReport()
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for result in document.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # an invalid document raises here, and should
        for mode in GenerationMode:
            try:
                for headers in ({"Authorization": f"Bearer {token}"}, {}):
                    _request_operation(operation.as_strategy(mode), headers, cases, seed_number, report.statuses)
            except Unsatisfiable:
                if mode is GenerationMode.POSITIVE or operation.body or operation.query or operation.headers:
                    raise
                report.without_invalid.append(operation.path)
    return report


def count_statuses(url: str, token: str, cases: int, seed_number: int) -> Counter[int]:
    """Send requests, and return the number of responses by status."""
    return send_requests(url, token, cases, seed_number).statuses


def _request_operation(
    strategy: Any, headers: dict[str, str], cases: int, seed_number: int, statuses: Counter[int]
) -> None:
    @send_cases(cases, seed_number)
    @given(strategy)
    def run(case: Case[Any]) -> None:
        response = case.call(headers=headers, timeout=MAX_RESPONSE_SECONDS, allow_redirects=False)
        statuses[response.status_code] += 1
        assert response.status_code < 500, f"{response.status_code} for {case.as_curl_command()}"

    run()
