"""Bonuses: what a researcher grants by pseudonym, and the file that a recruiter pays by its own ids."""

import csv
import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from skill_arcade.errors import InvalidRequest

GRANT_COLUMNS, PAYMENT_COLUMNS = ["user_id", "amount"], ["participant_id", "amount"]
MAX_AMOUNT = Decimal(10_000)


@dataclass(frozen=True, slots=True)
class Payee:
    """A participant: pseudonym, id at the recruiter or None, and what they have been granted already."""

    user_id: str
    external_id: str | None
    paid: Decimal


def read_grants(text: str) -> dict[str, Decimal]:
    """Return the total of each participant from a CSV with the columns `user_id,amount`.

    Raises:
        InvalidRequest: the CSV is malformed; the message names the line.
    """
    reader = csv.DictReader(io.StringIO(text))
    if reader.fieldnames is None or list(reader.fieldnames) != GRANT_COLUMNS:
        raise InvalidRequest(f"The first line must be {','.join(GRANT_COLUMNS)}.")
    grants: dict[str, Decimal] = {}
    for row in reader:
        user_id, amount = (row["user_id"] or "").strip(), _read_amount(row["amount"])
        if not user_id or amount is None or None in row:
            raise InvalidRequest(f"Line {reader.line_num}: write a user_id and an amount such as 1.50, below 10,000.")
        if user_id in grants:
            raise InvalidRequest(f"Line {reader.line_num}: {user_id} is there twice.")
        grants[user_id] = amount
    return grants


def find_payments(grants: Mapping[str, Decimal], payees: Iterable[Payee]) -> dict[str, tuple[str, Decimal]]:
    """Return recruiter's id and amount by user id: what is missing to the total of each participant.

    Raises:
        InvalidRequest: a participant is unknown, has no recruiter's id, or has been granted more already.
    """
    known = {payee.user_id: payee for payee in payees}
    payments: dict[str, tuple[str, Decimal]] = {}
    for user_id, total in grants.items():
        payee = known.get(user_id)
        if payee is None:
            raise InvalidRequest(f"The study has no participant {user_id!r}.")
        if payee.external_id is None:
            raise InvalidRequest(f"{user_id} came by a plain link, so no recruiter can pay them.")
        if total < payee.paid:
            raise InvalidRequest(f"{user_id} was granted {payee.paid} already, which is more than {total}.")
        if total > payee.paid:
            payments[user_id] = payee.external_id, total - payee.paid
    return payments


def render_payments(payments: Mapping[str, tuple[str, Decimal]]) -> str:
    """Return the CSV for the recruiter."""
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    writer.writerow(PAYMENT_COLUMNS)
    writer.writerows((external_id, f"{amount:.2f}") for external_id, amount in payments.values())
    return output.getvalue()


def _read_amount(text: str | None) -> Decimal | None:
    try:
        amount = Decimal((text or "").strip())
    except InvalidOperation:
        return None
    is_valid = amount.is_finite() and 0 <= amount < MAX_AMOUNT and amount == round(amount, 2)
    return amount if is_valid else None
