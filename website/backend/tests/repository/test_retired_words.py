"""The rule about retired words finds them in names, text and file names, and only where an entry applies."""

import pytest

from tests.repository.conftest import RepositoryFolder
from tests.repository.rules.retired_words import Entry, find_retired_words, read_list


def entry(*words: str, **fields: object) -> Entry:
    return Entry(words=words, replacement="uploader", reason="it uploads", **fields)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("match", "line", "found"),
    [
        ("word", "the courier waits", "courier"),
        ("word", "def start_courier_loop():", "courier"),
        ("word", "class LateCourier:", "Courier"),
        ("word", "couriers", None),
        ("word", "COURIER", None),
        ("name", "self._courier.start()", "_courier"),
        ("name", "start_courier()", None),
        ("pattern", "courier = 1", "courier"),
        ("pattern", "courier_x = 1", None),
    ],
)
def test_entry_each_kind_of_match_finds_its_names(match: str, line: str, found: str | None) -> None:
    assert entry("courier", "Courier", match=match).find(line) == found


def test_entry_allowed_text_is_not_searched() -> None:
    assert entry("seat", allow=("[Tt]ake a seat",)).find("<h1>Take a seat</h1>") is None
    assert entry("seat", allow=("[Tt]ake a seat",)).find("<h1>Take a seat</h1>{seat}") == "seat"


@pytest.mark.parametrize(
    ("file", "text", "numbers"),
    [
        ("a.py", '"""The door."""\nname = "door"  # a door\ndoor = 1\n', [3]),
        ("a.ts", "/* door\n door */\nconst a = 'door'; // door\nconst door = `door`;\n", [4]),
        ("a.md", "the door\nthe `door`\n```\ndoor\n```\n", [2, 4]),
        ("a.sh", "# door\n", [1]),
    ],
)
def test_code_entry_comments_and_strings_are_not_searched(
    repository_folder: RepositoryFolder, file: str, text: str, numbers: list[int]
) -> None:
    repository_folder.write(file, text)
    findings = find_retired_words(repository_folder.read(), [entry("door", where="code")], ())
    assert [finding.line for finding in findings] == numbers


def test_finding_names_word_replacement_and_reason(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("a.py", "# one\n# the courier\n")
    (finding,) = find_retired_words(repository_folder.read(), [entry("courier")], ())
    assert str(finding) == "a.py:2: 'courier' is retired, use uploader: it uploads"


def test_file_name_with_retired_word_is_found(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("delivery/test_courier.py")
    (finding,) = find_retired_words(repository_folder.read(), [entry("courier")], ())
    assert "the file name" in finding.message


def test_paths_outside_of_the_entry_are_not_searched(repository_folder: RepositoryFolder) -> None:
    for name in ("backend/a.py", "backend/migrations/b.py", "backend/c.py", "frontend/d.ts", "x.lock"):
        repository_folder.write(name, "courier")
    scoped = entry("courier", include=("backend/*", "*.lock"), exclude=("backend/c.py",))
    findings = find_retired_words(repository_folder.read(), [scoped], ("backend/migrations/*",))
    assert [finding.file for finding in findings] == ["backend/a.py"]


def test_list_of_the_project_is_valid() -> None:
    exclude, entries = read_list()
    assert len(entries) > 30
    assert any("migrations" in pattern for pattern in exclude)
    assert all(entry.words and entry.replacement and entry.reason for entry in entries)


def test_list_with_unknown_key_is_rejected(repository_folder: RepositoryFolder) -> None:
    repository_folder.write("list.toml", '[[entry]]\nwords = ["a"]\nreplacement = "b"\nreason = "c"\nplace = "code"\n')
    with pytest.raises(ValueError, match="place"):
        read_list(repository_folder.root / "list.toml")
