"""The guard of Uvicorn's version: what this package uses of its private classes."""

import inspect

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from skill_arcade.errors import SettingsError

TESTED_VERSION = "0.54"
"""Version of Uvicorn that the contract test was run with. Releases with another one may change private classes."""
# Methods that the protocols override or call, with the names of their parameters.
USED_METHODS: dict[type, dict[str, tuple[str, ...]]] = {
    HttpToolsProtocol: {
        "connection_made": ("transport",),
        "connection_lost": ("exc",),
        "data_received": ("data",),
        "pause_writing": (),
        "resume_writing": (),
        "timeout_keep_alive_handler": (),
        "handle_websocket_upgrade": (),
        "send_400_response": ("msg",),
        "on_message_begin": (),
        "on_url": ("url",),
        "on_header": ("name", "value"),
        "on_headers_complete": (),
        "on_message_complete": (),
    },
    WebSocketsSansIOProtocol: {
        "connection_lost": ("exc",),
        "data_received": ("data",),
        "handle_connect": ("event",),
        "handle_text": ("event",),
        "send": ("message",),
        "handle_parser_exception": (),
        "keepalive_timeout": (),
    },
}


def check_uvicorn() -> None:
    """Check that Uvicorn is a tested version, whose protocol classes have what this package overrides.

    Raises:
        SettingsError: the version was not tested, or its classes differ, so the limits might not hold.
    """
    advice = f"install the version in requirements.lock, or run tests/web/test_uvicorn_contract.py with it and change \
{__name__}"
    if uvicorn.__version__.rpartition(".")[0] != TESTED_VERSION:
        raise SettingsError(
            f"Uvicorn {uvicorn.__version__} is not supported, because the limits were tested with {TESTED_VERSION}: "
            f"{advice}."
        )
    for base, methods in USED_METHODS.items():
        for name, parameters in methods.items():
            if name not in vars(base) or tuple(inspect.signature(vars(base)[name]).parameters)[1:] != parameters:
                raise SettingsError(
                    f"Uvicorn {uvicorn.__version__} is not supported, because it has no {base.__name__}.{name}"
                    f"({', '.join(parameters)}): {advice}."
                )
