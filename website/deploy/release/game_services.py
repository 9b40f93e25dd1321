"""Services that only run games: each has at most one server, at an address of its own (docs/placement.md).

The first service has the API and the page's address too, and is released before them, with a canary.
"""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

from release import service
from release.console import log_info
from release.errors import UserFacingError
from release.google import Google
from release.project import resource_labels
from release.service import CANDIDATE, SERVICE, Traffic

MAX_SERVICES = 20


def list_services() -> list[str]:
    """Return the names of all services with games, by the variable GAME_SERVICES, which is their number."""
    text = os.environ.get("GAME_SERVICES") or "1"
    if not text.isdecimal() or not 1 <= int(text) <= MAX_SERVICES:
        raise UserFacingError(f"the variable GAME_SERVICES must be a number from 1 to {MAX_SERVICES}, not {text!r}")
    return [SERVICE, *(f"{SERVICE}-{number}" for number in range(2, int(text) + 1))]


def placement_settings(google: Google, name: str) -> dict[str, str]:
    """Return the settings by which tickets place players on one of several services. With one service there are none.

    All addresses are written out, so that servers wake those that sleep.
    """
    services = list_services()
    if len(services) == 1:
        return {}
    origins = {service: f"wss://{google.project.host(service)}" for service in services}
    return {"SOCKET_ORIGIN": origins[name], "SOCKET_ORIGINS": ",".join(origins.values())}


class GameServices:
    """All services with games but the first. `restore` undoes what `release` has changed."""

    def __init__(self, google: Google, run_smoke_test: Callable[[str], None]) -> None:
        self._google, self._run_smoke_test = google, run_smoke_test
        self._names = list_services()[1:]
        self._before: dict[str, str] = {}

    def release(self, image: str, settings: Mapping[str, str], folder: Path, games: int, **labels: str) -> None:
        """Release an image to one service after the other. A server that is replaced hands its games over."""
        for name in self._names:
            traffic, environment = Traffic(self._google, name), folder / f"{name}.json"
            before = service.serving_revision(traffic.read())
            hosts = [f"{prefix}{self._google.project.host(name)}" for prefix in ("", f"{CANDIDATE}---")]
            own = placement_settings(self._google, name) | {"TRUSTED_HOSTS": ",".join(hosts)}
            service.write_environment(environment, self._google, {**settings, **own})
            size = service.size_flags(cpu=2, memory="3Gi", games=games, instances=1, minimum=0)
            marks = resource_labels(SERVICE, **labels, **{service.PREVIOUS_LABEL: before})
            flags = (f"--labels={marks}", "--no-traffic", f"--tag={CANDIDATE}")
            service.deploy_service(self._google, name, image, environment, *size, *flags)
            self._run_smoke_test(f"https://{hosts[1]}")
            found = traffic.read()
            revision = "the-candidate" if self._google.dry_run else service.tagged_revision(found, CANDIDATE)
            self._before[name] = before
            traffic.shift(found, revision)

    def restore(self) -> None:
        """Send the traffic of all services that were changed back to the revisions before."""
        for name, revision in self._before.items():
            log_info(f"release failed, rolling back traffic service={name} revision={revision}")
            traffic = Traffic(self._google, name)
            traffic.shift(traffic.read(), revision)

    def roll_back(self) -> None:
        """Send the traffic of each service to the revision that the serving one has replaced, if a release made it."""
        for name in self._names:
            traffic = Traffic(self._google, name)
            found = traffic.read()
            serving = service.serving_revision(found)
            target = traffic.labels_of(serving).get(service.PREVIOUS_LABEL, "")
            if not target or service.KEY_LABEL not in traffic.labels_of(target):
                log_info(f"service {name} has no earlier release, and is left as it is")
                continue
            log_info(f"rolling back traffic service={name} from={serving} to={target}")
            traffic.shift(found, target)
