"""Runs the part of a benchmark that is in the built page: a browser test that reads a plan and writes its readings."""

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"


def measure_in_chromium(test: str, prefix: str, plan: Mapping[str, Any]) -> Any:
    """Run `e2e/TEST.test.ts` with a plan and return its readings.

    Args:
        test: Name of the test file without its ending.
        prefix: The test reads the plan from the variable PREFIX_PLAN, and writes JSON to the path in PREFIX_RESULT.
        plan: What to measure, and for how long.

    Raises:
        RuntimeError: With the end of the test's output, if it wrote no readings.
    """
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "readings.json"
        environment = {**os.environ, f"{prefix}_PLAN": json.dumps(plan), f"{prefix}_RESULT": str(result)}
        command = ["npx", "vitest", "run", "--config", "e2e/vitest.config.ts", f"{test}.test"]
        done = subprocess.run(command, cwd=FRONTEND, env=environment, capture_output=True, text=True, check=False)
        if not result.exists():
            raise RuntimeError(f"the page could not be measured (website/play sets all up):\n{done.stdout[-3000:]}")
        return json.loads(result.read_text())
