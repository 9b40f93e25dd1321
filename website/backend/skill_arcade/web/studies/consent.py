"""The consent document of a study, and a participant's answer to it."""

from collections.abc import Mapping
from typing import Any

from pydantic import JsonValue
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from skill_arcade.consent.documents import hash_content
from skill_arcade.errors import InvalidRequest
from skill_arcade.storage.database.consents import DECLINED, GIVEN, add_answer, add_document
from skill_arcade.studies.progress import Verdict
from skill_arcade.studies.schema import ConsentStage, Outcome
from skill_arcade.web.consents import ConsentService, decide
from skill_arcade.web.models.studies import StudyConsent


def describe_document(row: Row[Any], stage: ConsentStage, language: str) -> dict[str, Any]:
    """Return a consent document of a study, as it is stored and hashed."""
    return {
        "study": row.study_name,
        "version": row.number,
        "language": language,
        "minimum_age": stage.minimum_age,
        "scopes": list(stage.scopes),
        "text": {"age": stage.find_age_question(language), **stage.languages[language].model_dump(mode="json")},
    }


def describe_consent(row: Row[Any], stage: ConsentStage, language: str) -> StudyConsent:
    """Return the document in the language of the page, or else in the first of its languages."""
    candidates = (language, language.partition("-")[0], *stage.languages)
    chosen = next(one for one in candidates if one in stage.languages)
    document = describe_document(row, stage, chosen)
    return StudyConsent.model_validate(
        {
            "kind": "consent",
            "name": stage.name,
            "sha256": hash_content(document),
            "language": chosen,
            "languages": list(stage.languages),
            "scopes": stage.scopes,
            **document["text"],
        }
    )


async def answer_consent(
    connection: AsyncConnection,
    consents: ConsentService,
    row: Row[Any],
    stage: ConsentStage,
    data: Mapping[str, JsonValue],
) -> Verdict:
    """Store a participant's answer to the document that they were shown.

    Raises:
        InvalidRequest: the document is none of the stage's, or scopes or year are malformed.
    """
    document, scopes, birth_year = data.get("document"), data.get("scopes"), data.get("birth_year")
    documents = {language: describe_document(row, stage, language) for language in stage.languages}
    found = next((one for one in documents.values() if hash_content(one) == document), None)
    if found is None:
        raise InvalidRequest("The text has changed meanwhile. Reload the page and read it again.")
    if not isinstance(scopes, list) or not set(map(str, scopes)) <= set(stage.scopes):
        raise InvalidRequest("Unknown scopes. Reload the page.")
    if scopes and "research" not in scopes:
        raise InvalidRequest("Without research nothing can be recorded. Tick it, or do not take part.")
    if birth_year is not None and (isinstance(birth_year, bool) or not isinstance(birth_year, int)):
        raise InvalidRequest("Enter the year in which you were born, with four digits.")
    decision = decide([str(scope) for scope in scopes], birth_year, stage.minimum_age)
    sha256 = hash_content(found)
    await add_document(connection, sha256, found, row.study_name)
    await add_answer(
        connection,
        row.user_id,
        document=sha256,
        decision=decision,
        build=consents.build,
        scopes=sorted(map(str, scopes)) if decision == GIVEN else (),
    )
    consents.forget(row.user_id)
    if decision == GIVEN:
        return Verdict(data={"language": found["language"]})
    outcome: Outcome = "no-consent" if decision == DECLINED else "screened-out"
    return Verdict(is_passed=False, outcome=outcome)
