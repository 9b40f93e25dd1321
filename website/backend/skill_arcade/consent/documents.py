"""Reads the owner's consent file: one document per language, versioned and hashed."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from skill_arcade.errors import SettingsError

FILE_NAME = "consent.yaml"
SHIPPED_FOLDER = Path(__file__).parent
Scope = Literal["research", "publication", "boards"]
"""Purpose that a player allows. `boards` covers replays by links, watching, ghosts and leaderboards."""
SCOPES: tuple[Scope, ...] = get_args(Scope)
Words = Annotated[str, Field(min_length=1, max_length=500)]
Label = Annotated[str, Field(min_length=1, max_length=60)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Section(_Part):
    """A heading and a paragraph."""

    title: Label
    text: Words


class ScopeText(_Part):
    """What a player reads about a scope."""

    label: Label
    text: Words


class ScopeTexts(_Part):
    """The texts of all scopes."""

    research: ScopeText
    publication: ScopeText
    boards: ScopeText


class DocumentText(_Part):
    """The text of a document in one language, with the labels of its page."""

    title: Label
    notice: Annotated[str, Field(max_length=500)] = ""
    sections: Annotated[list[Section], Field(min_length=1, max_length=12)]
    scopes: ScopeTexts
    age: Label
    age_help: Words
    agree: Label
    decline: Label
    refuse: Label
    too_young: Words
    unrecorded: Words
    unavailable: Words


class ConsentFile(_Part):
    """The owner's file. `minimum_age` is checked by the server, and the page does not learn it."""

    version: Annotated[int, Field(ge=1)]
    minimum_age: Annotated[int, Field(ge=13, le=99)]
    legal_basis: Annotated[str, Field(min_length=1, max_length=100)]
    languages: Annotated[
        dict[Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")], DocumentText], Field(min_length=1)
    ]


@dataclass(frozen=True, slots=True)
class ConsentDocument:
    """One version of the document in one language. `sha256` is of its canonical JSON, which `content` is."""

    sha256: str
    version: int
    language: str
    content: dict[str, Any]

    @property
    def text(self) -> DocumentText:
        """What the player reads."""
        return DocumentText.model_validate(self.content["text"])


@dataclass(frozen=True, slots=True)
class ConsentDocuments:
    """The current version in all its languages. The first one is the default."""

    version: int
    minimum_age: int
    by_language: Mapping[str, ConsentDocument]

    def find(self, language: str) -> ConsentDocument:
        """Return the document in this language (such as `de-AT`), or in the default one."""
        exact, base = self.by_language.get(language), self.by_language.get(language.partition("-")[0])
        return exact or base or next(iter(self.by_language.values()))

    def by_hash(self, sha256: str) -> ConsentDocument | None:
        """Return the current document with this hash; None: it is unknown or obsolete."""
        return next((one for one in self.by_language.values() if one.sha256 == sha256), None)


def hash_content(content: Mapping[str, Any]) -> str:
    """Return the SHA-256, in hexadecimal, of the canonical JSON: sorted keys, no spaces, UTF-8."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def load_documents(folder: Path | None) -> ConsentDocuments:
    """Read `consent.yaml` of a folder, or the shipped template.

    Raises:
        SettingsError: the file is missing or invalid; the message names file, field and reason.
    """
    path = (folder or SHIPPED_FOLDER) / FILE_NAME
    try:
        file = ConsentFile.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise SettingsError(f"Cannot read the consent file {path}: {error.strerror}. Set CONSENT_FOLDER.") from error
    except yaml.YAMLError as error:
        raise SettingsError(f"The consent file {path} is not YAML: {error}") from error
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, part['loc']))}: {part['msg']}" for part in error.errors()[:5])
        raise SettingsError(f"Invalid consent file {path}: {problems}. docs/consent.md describes it.") from None
    documents = {}
    for language, text in file.languages.items():
        content = {
            "version": file.version,
            "language": language,
            "minimum_age": file.minimum_age,
            "legal_basis": file.legal_basis,
            "text": text.model_dump(mode="json"),
        }
        documents[language] = ConsentDocument(hash_content(content), file.version, language, content)
    return ConsentDocuments(file.version, file.minimum_age, documents)
