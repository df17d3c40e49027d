"""Servers are started once a session, each by its own plugin, and only when a test asks for one."""

import logging

from facefleet.logs import configure_logging
from facefleet.settings import Settings

# As in production: structlog's own default renders every local variable of a traceback, which takes seconds.
configure_logging(Settings(log_format="json"))
logging.getLogger("werkzeug").setLevel("WARNING")  # the S3 server would log every request

pytest_plugins = [
    "tests.fixtures.packs",
    "tests.fixtures.postgres",
    "tests.fixtures.processes",
    "tests.fixtures.redis",
    "tests.fixtures.s3",
    "tests.fixtures.sqs",
]
