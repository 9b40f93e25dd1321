"""A stand-in of the Hugging Face Hub on loopback: the part of its HTTP API that uploads and loads a dataset.

What it expects and answers is taken from the client's source, huggingface_hub 2.4 (`hf_api.py`, `_commit_api.py`,
`lfs.py`, `file_download.py`), and from the Git LFS batch API. Parquet files are large files, others are part of the
commit; a commit may not name a large file that was not uploaded. Xet storage is not there, so clients must disable it.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

TOKEN = "hf_write"


@dataclass
class Repository:
    """A dataset repository: its commits, each with all files, and its tags."""

    private: bool
    commits: list[tuple[str, dict[str, bytes]]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, bytes]:
        return self.commits[-1][1] if self.commits else {}

    def find(self, revision: str) -> tuple[str, dict[str, bytes]] | None:
        if revision == "main":
            return self.commits[-1] if self.commits else ("0" * 40, {})
        wanted = self.tags.get(revision, revision)
        return next((commit for commit in self.commits if commit[0] == wanted), None)


@dataclass
class FakeHub:
    """The state of the stand-in."""

    url: str
    repositories: dict[str, Repository] = field(default_factory=dict)
    large_files: dict[str, bytes] = field(default_factory=dict)
    unknown_requests: list[str] = field(default_factory=list)
    failure: tuple[int, str] | None = None
    """Status and message with which every request that writes is answered."""


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: FakeHub

    def log_message(self, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        path = unquote(urlsplit(self.path).path)
        if path == "/api/whoami-v2":
            return self._reply({"type": "user", "name": "somebody", "auth": {}})
        if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)(?:/revision/(.+))?", path):
            return self._describe(found[1], found[2] or "main")
        if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/tree/([^/]+)/?(.*)", path):
            return self._list_files(*found.groups())
        if found := re.fullmatch(r"/datasets/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            return self._send_file(*found.groups())
        return self._refuse(404, "Not found")

    do_HEAD = do_GET

    def do_POST(self) -> None:
        path, body = unquote(urlsplit(self.path).path), self._read_body()
        if self.headers["Authorization"] != f"Bearer {TOKEN}":
            return self._refuse(401, "Invalid credentials in Authorization header")
        if self.hub.failure:
            return self._refuse(*self.hub.failure)
        if path == "/api/repos/create":
            return self._create(json.loads(body))
        if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/preupload/main", path):
            modes = {
                one["path"]: "lfs" if one["path"].endswith(".parquet") else "regular"
                for one in json.loads(body)["files"]
            }
            files = [{"path": name, "uploadMode": mode, "shouldIgnore": False} for name, mode in modes.items()]
            return self._reply({"files": files})
        if path.endswith(".git/info/lfs/objects/batch"):
            objects = json.loads(body)["objects"]
            upload = [one | {"actions": {"upload": {"href": f"{self.hub.url}/lfs/{one['oid']}"}}} for one in objects]
            return self._reply({"transfer": "basic", "objects": upload})
        if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/commit/main", path):
            return self._commit(found[1], [json.loads(line) for line in body.splitlines()])
        if found := re.fullmatch(r"/api/datasets/([^/]+/[^/]+)/tag/main", path):
            repository = self.hub.repositories[found[1]]
            repository.tags[json.loads(body)["tag"]] = repository.commits[-1][0]
            return self._reply({})
        if path.startswith("/api/validate-yaml"):
            return self._reply({"errors": [], "warnings": []})
        return self._refuse(404, "Not found")

    def do_PUT(self) -> None:
        body = self._read_body()
        oid = self.path.rpartition("/")[2]
        if hashlib.sha256(body).hexdigest() != oid:
            return self._refuse(400, "Another SHA-256")
        self.hub.large_files[oid] = body
        return self._reply({})

    def _create(self, request: dict[str, Any]) -> None:
        name = f"{request.get('organization') or 'somebody'}/{request['name']}"
        if request["type"] != "dataset":
            return self._refuse(400, "Only datasets")
        if not name.startswith("somebody/"):
            return self._refuse(403, f"You don't have the rights to create a dataset under this namespace: {name}")
        if name in self.hub.repositories:
            found = {"error": "You already created this dataset repo", "url": f"{self.hub.url}/datasets/{name}"}
            return self._send(409, json.dumps(found).encode(), {"Content-Type": "application/json"})
        self.hub.repositories[name] = Repository(private=request.get("visibility") == "private")
        return self._reply({"url": f"{self.hub.url}/datasets/{name}", "name": name})

    def _commit(self, name: str, lines: list[dict[str, Any]]) -> None:
        repository = self.hub.repositories[name]
        files = dict(repository.files)
        for line in lines[1:]:
            value = line["value"]
            match line["key"]:
                case "file":
                    files[value["path"]] = base64.b64decode(value["content"])
                case "lfsFile" if value["oid"] in self.hub.large_files:
                    files[value["path"]] = self.hub.large_files[value["oid"]]
                case "deletedFile":
                    del files[value["path"]]
                case _:
                    return self._refuse(400, f"Cannot commit {line}")
        commit = hashlib.sha1(json.dumps(lines).encode()).hexdigest()
        repository.commits.append((commit, files))
        return self._reply({"commitUrl": f"{self.hub.url}/datasets/{name}/commit/{commit}", "commitOid": commit})

    def _describe(self, name: str, revision: str) -> None:
        if name not in self.hub.repositories or not (found := self.hub.repositories[name].find(revision)):
            return self._refuse(404, "Repository not found", code="RepoNotFound")
        commit, files = found
        siblings = [{"rfilename": path} for path in sorted(files)]
        described = {"id": name, "sha": commit, "private": self.hub.repositories[name].private, "tags": []}
        return self._reply({**described, "downloads": 0, "likes": 0, "gated": False, "siblings": siblings})

    def _list_files(self, name: str, revision: str, folder: str) -> None:
        found = self.hub.repositories[name].find(revision)
        if found is None:
            return self._refuse(404, "Revision not found", code="RevisionNotFound")
        prefix = f"{folder}/" if folder else ""
        inside = {path: data for path, data in found[1].items() if path.startswith(prefix)}
        if folder and not inside:
            return self._refuse(404, "Entry not found", code="EntryNotFound")
        entries = [
            {"type": "file", "path": path, "size": len(data), "oid": _blob(data)} for path, data in inside.items()
        ]
        folders = {"/".join(path.split("/")[:depth]) for path in inside for depth in range(1, path.count("/") + 1)}
        is_recursive = "recursive=true" in urlsplit(self.path).query.lower()
        entries += [{"type": "directory", "path": path, "size": 0, "oid": "0" * 40} for path in sorted(folders)]
        return self._reply([one for one in entries if is_recursive or "/" not in str(one["path"]).removeprefix(prefix)])

    def _send_file(self, name: str, revision: str, path: str) -> None:
        found = self.hub.repositories[name].find(revision) if name in self.hub.repositories else None
        if found is None or path not in found[1]:
            return self._refuse(404, "Entry not found", code="EntryNotFound")
        commit, data = found[0], found[1][path]
        size = len(data)
        headers = {"X-Repo-Commit": commit, "ETag": f'"{_blob(data)}"', "Accept-Ranges": "bytes"}
        status = 200
        if wanted := re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", "")):
            first, last = int(wanted[1]), min(int(wanted[2] or size - 1), size - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{size}"
            data, status = data[first : last + 1], 206
        return self._send(status, data, headers)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") == "chunked":
            parts = []
            while size := int(self.rfile.readline(), 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(parts)
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def _reply(self, value: Any) -> None:
        self._send(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def _refuse(self, status: int, message: str, code: str = "") -> None:
        if status == 404:
            self.hub.unknown_requests.append(f"{self.command} {self.path}")
        headers = {"Content-Type": "application/json", "X-Error-Message": message}
        self._send(status, json.dumps({"error": message}).encode(), headers | ({"X-Error-Code": code} if code else {}))

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _blob(data: bytes) -> str:
    """Return the name that Git gives to these contents."""
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()


@contextmanager
def fake_hub() -> Iterator[FakeHub]:
    """Serve an empty stand-in on a free port."""
    handler = type("HubHandler", (Handler,), {})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    hub = FakeHub(f"http://127.0.0.1:{server.server_port}")
    handler.hub = hub  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
