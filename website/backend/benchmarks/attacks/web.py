"""HTTP under Schemathesis: requests made from our own OpenAPI document, ones that fit it and ones that don't."""

from collections import Counter
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode

MOST_SECONDS = 10.0
"""No answer takes longer, whatever is asked."""


def ask(url: str, token: str, cases: int, number: int) -> Counter[int]:
    """So many requests to each operation, with a good token and without. Returns how often each status came.

    Raises AssertionError with the request for a status of 500 and more, or an answer that takes too long.
    """
    statuses = Counter[int]()
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # an invalid document raises here, and should
        for mode in GenerationMode:
            for headers in ({"Authorization": f"Bearer {token}"}, {}):
                _ask_operation(operation.as_strategy(mode), headers, cases, number, statuses)
    return statuses


def _ask_operation(strategy: Any, headers: dict[str, str], cases: int, number: int, statuses: Counter[int]) -> None:
    @seed(number)
    @settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def run(case: Case[Any]) -> None:
        answer = case.call(headers=headers, timeout=MOST_SECONDS, allow_redirects=False)
        statuses[answer.status_code] += 1
        assert answer.status_code < 500, f"{answer.status_code} for {case.as_curl_command()}"

    run()
