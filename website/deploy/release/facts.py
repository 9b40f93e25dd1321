"""What the scripts and the fake cloud assume about Google, with the source of each, and the page FACTS.md.

`website/deploy/prove` tries out those that have a probe, in a throw-away project.
"""

import re
from dataclasses import dataclass
from pathlib import Path

from release.project import DEPLOY

FILE = DEPLOY / "FACTS.md"
NOT_TRIED = "not tried"
READ_ON = "2026-11-28"
HEADER = """# Facts about Google that the scripts rest on

The scripts are tested against a fake cloud, so a wrong belief about Google passes every test unless
somebody tries it out. This page lists the beliefs. Each has its source, the day on which the source
was read, and what a real run found. `website/deploy/prove PROJECT` tries those that are marked
*probed* in a throw-away project, in about 20 minutes, and writes this page.

**"not tried" means that no real run has confirmed the belief.** The fake cloud enforces the beliefs
with a file named under *enforced by* (below `tests/fake_cloud` or of the back end's
`tests/support/cloud`); requests are also checked against Google's discovery documents
(`discovery.py`).

| id | belief | source | read | enforced by | probe | real run |
|---|---|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Fact:
    """A belief. `fake` is the file of the fake cloud that enforces it, "" if none does."""

    id: str
    belief: str
    source: str
    fake: str
    is_probed: bool = True


RUN, HOSTING = "cloud.google.com/run/docs", "Firebase Hosting REST v1beta1, discovery document"
FACTS = (
    Fact(
        "front-z",
        "Google's front end answers `/healthz` on run.app with 404 HTML",
        f"{RUN}/known-issues, paths that end in z; kkdai/linebot-file#5",
        "front_end.py",
    ),
    Fact("front-health", "`/health/live` on run.app reaches the container", "as front-z", "front_end.py"),
    Fact(
        "host-name",
        "a service answers at SERVICE-NUMBER.REGION.run.app",
        f"{RUN}/triggering/https-request",
        "front_end.py",
    ),
    Fact(
        "tag-host",
        "a tag answers at TAG---SERVICE-NUMBER.REGION.run.app, without traffic",
        f"{RUN}/rollouts-rollbacks-traffic-migration",
        "front_end.py",
    ),
    Fact(
        "forwarded-for",
        "the last entry of `X-Forwarded-For` is the client; earlier ones are the client's own",
        f"{RUN}/container-contract",
        "front_end.py",
    ),
    Fact("volume-owner", "an in-memory volume belongs to root", f"{RUN}/configuring/in-memory-volumes", "front_end.py"),
    Fact(
        "tag-minimum",
        "a tagged revision with a minimum of its own keeps a server without traffic",
        f"{RUN}/configuring/min-instances",
        "run.py",
    ),
    Fact(
        "put-no-revision",
        "replacing a service with the same template creates no revision",
        "Knative Serving specification",
        "run.py",
    ),
    Fact(
        "put-conflict",
        "replacing a service with an old `resourceVersion` is answered 409",
        "run.v1 discovery document, ObjectMeta.resourceVersion",
        "run.py",
    ),
    Fact(
        "requests-429",
        "beyond concurrency times maximum the front end answers 429 without CORS headers",
        f"{RUN}/troubleshooting",
        "front_end.py",
    ),
    Fact(
        "timeout-cut",
        "a request, also a WebSocket, is cut after the service's timeout",
        f"{RUN}/triggering/websockets",
        "front_end.py",
    ),
    Fact("no-traffic-first", "gcloud refuses `--no-traffic` for a new service", "gcloud 528, tried", "gcloud.py"),
    Fact(
        "log-has-query",
        "the request log contains the query of each address",
        "cloud.google.com/logging, HttpRequest.requestUrl",
        "logging.py",
    ),
    Fact(
        "log-no-protocol",
        "the request log does not contain `Sec-WebSocket-Protocol`",
        "logging.v2 discovery document, HttpRequest",
        "logging.py",
    ),
    Fact(
        "no-site",
        "a new Firebase project has no Hosting site until one is created",
        "Firebase Management, DefaultResources is deprecated",
        "hosting.py",
    ),
    Fact("gzip-hash", "a file is named by the SHA-256 of its gzip; other content is refused", HOSTING, "hosting.py"),
    Fact("version-labels", "a version keeps its labels, and a channel's release shows them", HOSTING, "hosting.py"),
    Fact("version-again", "a finalized version can be released again on the live channel", HOSTING, "hosting.py"),
    Fact("ttl-maximum", "a channel lives for at most 30 days", "firebase-tools, expireUtils.ts", "hosting.py"),
    Fact(
        "ttl-renewed",
        "changing a channel's `ttl` counts from that moment; a release does not renew it",
        HOSTING,
        "hosting.py",
    ),
    Fact("retained-100", "a channel retains up to 100 releases", HOSTING, "hosting.py"),
    Fact("sigterm-grace", "a container gets SIGTERM and is killed 10 s later", f"{RUN}/container-contract", "", False),
    Fact(
        "ordered-keys",
        "a range of ordered object names takes about 1,000 writes a second at first",
        "cloud.google.com/storage/docs/request-rate",
        "bucket.py",
        False,
    ),
    Fact(
        "socket-after-shift",
        "a shift of traffic leaves open WebSockets connected to their revision",
        f"{RUN}/rollouts-rollbacks-traffic-migration",
        "",
        False,
    ),
    Fact(
        "affinity-cookie",
        "the cookie of session affinity is not sent from a page on web.app to run.app, which is another site",
        "cloud.google.com/run/docs/configuring/session-affinity; publicsuffix.org lists both domains",
        "",
        is_probed=False,
    ),
    Fact(
        "enum-case",
        "names of enums are read in any case",
        "gcloud 528 sends `Delete` for a cleanup policy",
        "discovery.py",
        False,
    ),
    Fact("site-id-taken", "a site id that another project has is answered 400 or 409", HOSTING, "hosting.py", False),
    Fact(
        "job-invoker",
        "`roles/run.invoker` on a job permits `jobs.run` without overrides",
        "cloud.google.com/iam/docs/roles-permissions/run, Cloud Run Invoker; run.v2 discovery document",
        "",
        is_probed=False,
    ),
    Fact(
        "upload-unfinished",
        "a resumable upload that is not finished leaves no object; the client's cancel names no upload",
        "cloud.google.com/storage/docs/resumable-uploads; google-cloud-storage, BlobWriter.terminate",
        "",
        is_probed=False,
    ),
    Fact(
        "clone-protected",
        "a clone inherits the protection against deletion from its source",
        "cloud.google.com/sql/docs/postgres/deletion-protection",
        "sql.py",
        is_probed=False,
    ),
    Fact(
        "sql-name-condition",
        "a condition on `resource.name` limits a role to instances of Cloud SQL with this name",
        "cloud.google.com/sql/docs/postgres/iam-conditions",
        "",
        is_probed=False,
    ),
    Fact(
        "admin-delete",
        "`firebaseauth.users.delete` lets an account delete a Firebase account, however old its sign-in",
        "firebase.google.com/docs/auth/admin/manage-users; identitytoolkit.v1 discovery document",
        "",
        is_probed=False,
    ),
    Fact(
        "metric-revision",
        "`run.googleapis.com/request_count` has the label `revision_name`; ALIGN_DELTA gives its growth",
        "cloud.google.com/monitoring/api/metrics_gcp, run; monitoring.v3 discovery document",
        "monitoring.py",
        is_probed=False,
    ),
    Fact(
        "dependabot-lock",
        "Dependabot updates `pyproject.toml` and ignores `requirements*.lock`",
        "dependabot/dependabot-core#9368",
        "",
        is_probed=False,
    ),
)


def read_results() -> dict[str, str]:
    """Return the last column of each row of the page, by id."""
    text = FILE.read_text() if FILE.exists() else ""
    return dict(re.findall(r"^\| `([a-z0-9-]+)` \|.*\| ([^|]+) \|$", text, re.MULTILINE))


def format_page(results: dict[str, str]) -> str:
    """Return the page with these results of real runs."""
    rows = [
        f"| `{fact.id}` | {fact.belief} | {fact.source} | {READ_ON} | {f'`{fact.fake}`' if fact.fake else '-'} | "
        f"{'probed' if fact.is_probed else '-'} | {results.get(fact.id, NOT_TRIED)} |"
        for fact in FACTS
    ]
    return HEADER + "\n".join(rows) + "\n"


def write_page(results: dict[str, str], file: Path = FILE) -> None:
    """Write FACTS.md."""
    file.write_text(format_page(results))
