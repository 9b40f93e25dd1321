"""A fake `website/deploy/smoke`: it waits until the server is ready like the real one, through the fake front end of
Google, and then the test decides whether it passes.
"""

import json
import os
import signal
import sys
import urllib.error
import urllib.request

from release.errors import UserFacingError
from release.smoke import wait_until_ready


def main() -> None:
    """Try a server out. Cancels the release, whose process is PARENT, if the test says so."""
    cloud, host = os.environ["FAKE_URL"], sys.argv[1].removeprefix("https://")
    try:
        wait_until_ready(f"{cloud}/front.fake/{host}", 0)
    except UserFacingError as error:
        sys.exit(f"error: {error}")
    data = json.dumps({"arguments": sys.argv[1:]}).encode()
    request = urllib.request.Request(f"{cloud}/smoke.fake/try", data, {"content-type": "application/json"})
    try:
        urllib.request.urlopen(request).close()
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 499:
            # Like GitHub cancels a job: the script receives SIGTERM while it waits for this program.
            os.kill(int(os.environ["PARENT"]), signal.SIGTERM)
            sys.exit(143)
        sys.exit("error: the smoke test fails because the test says so")


if __name__ == "__main__":
    main()
