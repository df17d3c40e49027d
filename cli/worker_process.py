"""`worker`: the process of a fleet that looks at photos."""

from contextlib import closing
from dataclasses import fields

from cli.fleet_processes import open_parts
from facefleet.recognition.starting import load_recognizer
from workers.dispatcher_parts import DispatcherParts
from workers.parts import FleetParts
from workers.worker import run_worker


def work() -> int:
    """Run a worker until SIGTERM or SIGINT.

    Returns:
        The exit status: 1 when the recognizer went out of service, so that a supervisor starts another worker.

    Raises:
        ConfigurationError: settings, files or machine do not allow it.
    """
    with open_parts() as (parts, pack), closing(load_recognizer(parts.settings, parts.metrics, pack)) as recognizer:
        shared = {field.name: getattr(parts, field.name) for field in fields(DispatcherParts)}
        return run_worker(FleetParts(**shared, recognizer=recognizer))
