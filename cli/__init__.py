"""The `facefleet` command: the composition root, the only place that sees both workers and api."""
