"""The owner's consent file: documents, hashes, and what is refused."""

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from skill_arcade.consent.documents import FILE_NAME, SCOPES, SHIPPED_FOLDER, load_documents
from skill_arcade.errors import SettingsError


def read_template() -> dict[str, Any]:
    template: dict[str, Any] = yaml.safe_load((SHIPPED_FOLDER / FILE_NAME).read_text())
    return template


def write(folder: Path, file: dict[str, Any]) -> Path:
    (folder / FILE_NAME).write_text(yaml.safe_dump(file, allow_unicode=True))
    return folder


def test_template_has_two_languages_and_says_that_it_is_one() -> None:
    documents = load_documents(None)
    assert set(documents.by_language) == {"en", "de"}
    assert [document.text.notice.split()[0] for document in documents.by_language.values()] == ["Template.", "Vorlage."]
    assert documents.find("de-AT").language == "de"
    assert documents.find("fr").language == "en"


def test_document_hash_is_of_its_canonical_json() -> None:
    document = load_documents(None).find("de")
    text = json.dumps(document.content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    assert document.sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_document_changed_text_has_another_hash(tmp_path: Path) -> None:
    file = read_template()
    file["languages"]["en"]["sections"][0]["text"] = "The lab of Ada, ada@example.org."
    changed = load_documents(write(tmp_path, file))
    assert changed.find("en").sha256 != load_documents(None).find("en").sha256
    assert changed.find("de").sha256 == load_documents(None).find("de").sha256


def test_document_text_never_gives_the_age_away() -> None:
    documents = load_documents(None)
    for document in documents.by_language.values():
        assert str(documents.minimum_age) not in json.dumps(document.content["text"])


@pytest.mark.parametrize("scope", SCOPES)
def test_file_without_a_scope_is_refused_by_file_and_field(tmp_path: Path, scope: str) -> None:
    file = read_template()
    del file["languages"]["de"]["scopes"][scope]
    with pytest.raises(SettingsError, match=f"consent.yaml.*languages.de.scopes.{scope}"):
        load_documents(write(tmp_path, file))


def test_file_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="CONSENT_FOLDER"):
        load_documents(tmp_path)
