"""Servers are started once a session, each by its own plugin, and only when a test asks for one."""

pytest_plugins = ["tests.fixtures.postgres", "tests.fixtures.redis", "tests.fixtures.s3", "tests.fixtures.packs"]
