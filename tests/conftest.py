"""Servers are started once a session, each by its own plugin, and only when a test asks for one."""

pytest_plugins = [
    "tests.fixtures.packs",
    "tests.fixtures.postgres",
    "tests.fixtures.processes",
    "tests.fixtures.redis",
    "tests.fixtures.s3",
]
