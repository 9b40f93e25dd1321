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

    def __init__(self, google: Google) -> None:
        self._google, self._names = google, list_services()[1:]
        self._changed: dict[str, tuple[str, str]] = {}
        """Revisions of each service before and after."""

    def release(
        self, image: str, settings: Mapping[str, str], folder: Path, check: Callable[[str], None], **labels: str
    ) -> None:
        """Release an image to one service after the other. A server that is replaced hands its games over.

        `check` gets the address of each candidate, and raises `UserFacingError` if it must not serve.
        """
        games = int(settings["MAX_GAMES"])
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
            check(f"https://{hosts[1]}")
            found = traffic.read()
            revision = "the-candidate" if self._google.dry_run else service.tagged_revision(found, CANDIDATE)
            self._changed[name] = before, revision
            traffic.shift(found, revision)

    def restore(self) -> None:
        """Send the traffic of all services that were changed back, unless a rollback has moved it already."""
        for name, (before, after) in self._changed.items():
            traffic = Traffic(self._google, name)
            try:
                found = traffic.read()
                if service.traffic_shares(found).keys() == {after}:
                    log_info(f"release failed, rolling back traffic service={name} revision={before}")
                    traffic.shift(found, before)
            except UserFacingError as error:
                log_info(f"error: rollback of {name} FAILED: {error}. Do it by hand, see docs/operations.md.")

    def roll_back(self, key: str) -> None:
        """Send the traffic of each service to its newest revision of the release with this key, if it has one."""
        for name in self._names:
            traffic = Traffic(self._google, name)
            found = traffic.read()
            revision = serving = service.serving_revision(found)
            while (labels := traffic.labels_of(revision)).get(service.KEY_LABEL) != key:
                if not (revision := labels.get(service.PREVIOUS_LABEL, "")):
                    break
            if not revision:
                log_info(f"service {name} has no such release, and is left as it is")
            elif revision != serving:
                log_info(f"rolling back traffic service={name} from={serving} to={revision}")
                traffic.shift(found, revision)
