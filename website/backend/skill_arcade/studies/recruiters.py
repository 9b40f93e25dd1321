"""Recruiters: which ids they send in the address, and where participants are sent at the end."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from skill_arcade.errors import InvalidRequest, StudyPreview
from skill_arcade.studies.schema import Link, Outcome, Recruiter, Sona

MAX_ID_CHARACTERS = 200
MTURK_PREVIEW = "ASSIGNMENT_ID_NOT_AVAILABLE"
PROLIFIC_COMPLETE = "https://app.prolific.com/submissions/complete"
CONNECT_COMPLETE = "https://connect.cloudresearch.com/participant/project/{project}/complete"


@dataclass(frozen=True, slots=True)
class RecruiterId:
    """A recruiter's id of a participant, and the other ids of its address, such as the study's and session's."""

    external_id: str
    details: dict[str, str]


PARAMETERS: dict[str, tuple[str, ...]] = {
    "prolific": ("PROLIFIC_PID", "STUDY_ID", "SESSION_ID"),
    "mturk": ("workerId", "assignmentId", "hitId"),
    "connect": ("participantId", "assignmentId", "projectId"),
    "sona": ("sona_id",),
}
"""Parameters of the address by kind of recruiter; the first one names the participant."""


def read_recruiter_id(recruiter: Recruiter, query: Mapping[str, str]) -> RecruiterId | None:
    """Return the ids in the page's address, or None for a plain link.

    Raises:
        InvalidRequest: the id is missing or malformed, so that the recruiter could not be told of the participant.
        StudyPreview: a worker looks at the task before accepting it.
    """
    if isinstance(recruiter, Link):
        return None
    names = PARAMETERS[recruiter.kind]
    if query.get("assignmentId") == MTURK_PREVIEW:
        raise StudyPreview("Accept the task first, then open this address again.")
    external_id = query.get(names[0], "").strip()
    if not re.fullmatch(r"[\x21-\x7e]{1,200}", external_id) or external_id.startswith("{{") or "%" in external_id:
        raise InvalidRequest(
            f"The address has no {names[0]}. Open the study from the site that recruited you, not from a copied link."
        )
    details = {name: query[name][:MAX_ID_CHARACTERS] for name in names[1:] if query.get(name)}
    return RecruiterId(external_id, details)


def completion_url(recruiter: Recruiter, outcome: Outcome, code: str, identity: RecruiterId | None) -> str | None:
    """Return where a participant is sent at the end, or None if the code is only shown, to be pasted."""
    if recruiter.kind == "prolific":
        return f"{PROLIFIC_COMPLETE}?{urlencode({'cc': code})}"
    if recruiter.kind == "connect" and outcome == "complete" and identity is not None:
        project = identity.details.get("projectId")
        return None if project is None else CONNECT_COMPLETE.format(project=quote(project, safe=""))
    if isinstance(recruiter, Sona) and outcome == "complete" and identity is not None:
        fields = {
            "experiment_id": recruiter.experiment_id,
            "credit_token": code,
            "survey_code": identity.external_id,
        }
        return f"https://{recruiter.site}.sona-systems.com/webstudy_credit.aspx?{urlencode(fields)}"
    return None
