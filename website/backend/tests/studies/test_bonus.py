"""Bonuses: totals by pseudonym become payments by the recruiter's ids, each once."""

from decimal import Decimal

import pytest

from skill_arcade.errors import InvalidRequest
from skill_arcade.studies.bonus import Payee, find_payments, read_grants, render_payments

PAYEES = [
    Payee("ada", "P1", Decimal(0)),
    Payee("bob", "P2", Decimal("1.50")),
    Payee("cat", "P3", Decimal(2)),
    Payee("dan", None, Decimal(0)),
]


def test_payments_are_what_is_missing_to_the_total() -> None:
    grants = read_grants("user_id,amount\nada,0.5\nbob,2.00\ncat,2\n")
    assert render_payments(find_payments(grants, PAYEES)) == "participant_id,amount\nP1,0.50\nP2,0.50\n"


def test_zero_is_no_payment() -> None:
    assert find_payments(read_grants("user_id,amount\nada,0\n"), PAYEES) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "first line"),
        ("participant_id,amount\nP1,1\n", "first line"),
        ("user_id,amount\nada,one\n", "Line 2"),
        ("user_id,amount\nada,-1\n", "Line 2"),
        ("user_id,amount\nada,1.005\n", "Line 2"),
        ("user_id,amount\nada,NaN\n", "Line 2"),
        ("user_id,amount\nada,10000\n", "Line 2"),
        ("user_id,amount\nada,1,2\n", "Line 2"),
        ("user_id,amount\nada\n", "Line 2"),
        ("user_id,amount\nada,1\nada,1\n", "twice"),
        ("user_id,amount\nzoe,1\n", "no participant 'zoe'"),
        ("user_id,amount\ndan,1\n", "plain link"),
        ("user_id,amount\ncat,1.99\n", "granted 2 already"),
    ],
)
def test_grants_that_cannot_be_paid_are_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        find_payments(read_grants(text), PAYEES)
