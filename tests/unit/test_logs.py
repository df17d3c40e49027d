"""Whoever reads the log of a process as JSON can read all of it."""

import json
import subprocess
import sys

_WARNS = """
import warnings
from facefleet.logs import configure_logging
from facefleet.settings import Settings

configure_logging(Settings(log_format="json"))
warnings.warn("of several\\nlines", UserWarning)
"""


def test_a_librarys_warning_is_a_line_of_the_log() -> None:
    ran = subprocess.run([sys.executable, "-c", _WARNS], capture_output=True, text=True, check=True)
    [line] = map(json.loads, ran.stderr.splitlines())
    assert (line["level"], line["logger"]) == ("warning", "py.warnings")
    assert "of several\nlines" in line["event"]
