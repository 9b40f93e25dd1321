"""Settings under which generated cases are sent to a server."""

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, seed, settings


def send_cases(cases: int, seed_number: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that calls a test of `@given` with `cases` generated cases, which follow from the seed.

    Nothing is shrunk, because a real server does not answer the same question twice in the same way.
    """
    chosen = settings(
        max_examples=cases,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )

    def decorate(test: Callable[..., Any]) -> Callable[..., Any]:
        return seed(seed_number)(chosen(test))

    return decorate
