"""HTTP under Schemathesis: requests made from our own OpenAPI document, ones that fit it and ones that don't."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import Case, GenerationMode

MOST_SECONDS = 10.0
"""No answer takes longer, whatever is asked."""


@dataclass
class Asked:
    """How often each status came, and the operations that can't be asked wrongly: they take nothing, or any text."""

    statuses: Counter[int] = field(default_factory=Counter)
    never_wrong: list[str] = field(default_factory=list)


def ask(url: str, token: str, cases: int, number: int) -> Asked:
    """So many requests to each operation, ones that fit and ones that don't, with a good token and without.

    Raises AssertionError with the request for a status of 500 and more, or an answer that takes too long.
    """
    asked = Asked()
    document = schemathesis.openapi.from_url(f"{url}/openapi.json")
    for found in document.get_all_operations():
        operation: Any = found.ok()  # type: ignore[union-attr]  # an invalid document raises here, and should
        for mode in GenerationMode:
            try:
                for headers in ({"Authorization": f"Bearer {token}"}, {}):
                    _ask_operation(operation.as_strategy(mode), headers, cases, number, asked.statuses)
            except Unsatisfiable:
                if mode is GenerationMode.POSITIVE or operation.body or operation.query or operation.headers:
                    raise
                asked.never_wrong.append(operation.path)
    return asked


def ask_all(url: str, token: str, cases: int, number: int) -> Counter[int]:
    """As `ask`: the statuses alone."""
    return ask(url, token, cases, number).statuses


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
