"""Checks bodies against Google's own typed messages, which refuse unknown fields, wrong types and unknown enum values.

Reads JSON from standard input, a list of pairs of message name and body, and prints a line for each wrong one. It runs
in the virtual environment of Terraform's tools.
"""

import json
import sys
from typing import Any

from google.cloud.monitoring_dashboard_v1 import Dashboard
from google.cloud.monitoring_v3 import AlertPolicy, CreateTimeSeriesRequest, ServiceLevelObjective, UptimeCheckConfig

TYPES = {
    "AlertPolicy": AlertPolicy,
    "CreateTimeSeriesRequest": CreateTimeSeriesRequest,
    "Dashboard": Dashboard,
    "ServiceLevelObjective": ServiceLevelObjective,
    "UptimeCheckConfig": UptimeCheckConfig,
}


def unwrap(descriptor: Any, value: Any) -> Any:
    """Turn Terraform's form of a message, where a nested message is a list of one block, into that of the API."""
    if not isinstance(value, dict):
        return value
    fields = {field.name.rstrip("_"): field for field in descriptor.fields}
    result = {}
    for name, part in value.items():
        field = fields.get(name)
        if part is None or part == []:
            continue
        if field is None or field.message_type is None:
            result[name] = part
        elif field.label == field.LABEL_REPEATED and isinstance(part, list):
            result[name] = [unwrap(field.message_type, item) for item in part]
        elif isinstance(part, list):
            (only,) = part
            result[name] = unwrap(field.message_type, only)
        else:
            result[name] = unwrap(field.message_type, part)
    return result


for kind, body in json.load(sys.stdin):
    message = TYPES[kind]
    try:
        message.from_json(json.dumps(unwrap(message.pb().DESCRIPTOR, body)))
    except Exception as error:  # noqa: BLE001  whatever the library says is the finding
        print(f"{kind} {body.get('display_name') or body.get('displayName', '')}: {str(error).splitlines()[0]}")
