"""Security Token Service: exchanges GitHub's token for Google's."""

from typing import Any

from fake_cloud.cloud import FakeCloud
from fake_cloud.requests import Request, Routes

ROUTES = Routes("sts")


@ROUTES.on("POST", "/v1/token")
def give_token(cloud: FakeCloud, request: Request) -> Any:
    issued = "urn:ietf:params:oauth:token-type:access_token"
    return {"access_token": "federated", "issued_token_type": issued, "token_type": "Bearer", "expires_in": 3600}
