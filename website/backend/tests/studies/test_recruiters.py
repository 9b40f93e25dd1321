"""Recruiters: the ids of the address, and the way back."""

from typing import Any

import pytest
from pydantic import TypeAdapter

from skill_arcade.errors import InvalidRequest, StudyPreview
from skill_arcade.studies.recruiters import completion_url, read_recruiter_id
from skill_arcade.studies.schema import Recruiter

READ: TypeAdapter[Any] = TypeAdapter(Recruiter)
PROLIFIC, MTURK, LINK = (READ.validate_python({"kind": kind}) for kind in ("prolific", "mturk", "link"))
CONNECT = READ.validate_python({"kind": "connect"})
SONA = READ.validate_python({"kind": "sona", "site": "uni", "experiment_id": 7})


def test_prolific_participant_is_named_by_the_address_and_sent_back_with_the_code() -> None:
    query = {"PROLIFIC_PID": "5f1", "STUDY_ID": "s", "SESSION_ID": "t", "utm": "x"}
    identity = read_recruiter_id(PROLIFIC, query)
    assert identity is not None
    assert (identity.external_id, identity.details) == ("5f1", {"STUDY_ID": "s", "SESSION_ID": "t"})
    expected = "https://app.prolific.com/submissions/complete?cc=A%26B"
    assert completion_url(PROLIFIC, "no-consent", "A&B", identity) == expected


@pytest.mark.parametrize("given", ["", " ", "{{%PROLIFIC_PID%}}", "%PROLIFIC_PID%", "a b", "x" * 201, "é"])
def test_address_without_a_real_id_is_refused(given: str) -> None:
    with pytest.raises(InvalidRequest, match="PROLIFIC_PID"):
        read_recruiter_id(PROLIFIC, {"PROLIFIC_PID": given})


def test_mturk_preview_is_no_participant_and_workers_paste_the_code() -> None:
    with pytest.raises(StudyPreview):
        read_recruiter_id(MTURK, {"assignmentId": "ASSIGNMENT_ID_NOT_AVAILABLE"})
    identity = read_recruiter_id(MTURK, {"workerId": "W", "assignmentId": "A", "hitId": "H"})
    assert completion_url(MTURK, "complete", "C", identity) is None


def test_sona_grants_credit_to_complete_participants_only() -> None:
    identity = read_recruiter_id(SONA, {"sona_id": "123"})
    expected = "https://uni.sona-systems.com/webstudy_credit.aspx?experiment_id=7&credit_token=tok&survey_code=123"
    assert completion_url(SONA, "complete", "tok", identity) == expected
    assert completion_url(SONA, "failed-checks", "x", identity) is None


def test_connect_needs_the_project_of_the_address() -> None:
    with_project = read_recruiter_id(CONNECT, {"participantId": "p", "projectId": "9/8"})
    expected = "https://connect.cloudresearch.com/participant/project/9%2F8/complete"
    assert completion_url(CONNECT, "complete", "c", with_project) == expected
    assert completion_url(CONNECT, "complete", "c", read_recruiter_id(CONNECT, {"participantId": "p"})) is None


def test_plain_link_has_no_id_and_no_way_back() -> None:
    assert read_recruiter_id(LINK, {"PROLIFIC_PID": "x"}) is None
    assert completion_url(LINK, "complete", "c", None) is None
