"""The `facefleet` command: a client of the REST API, and the only place that sees both workers and api."""
