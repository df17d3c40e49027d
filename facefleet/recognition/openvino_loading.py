"""OpenVINO without what its package loads beside it: a converter of models, and a library that reports its use.

Left alone, `import openvino` forks a process that tells Google Analytics of it, and keeps an id for that in the home
directory. Whoever indexes faces on his own machines has not agreed to that, and it is more than half of the import.
"""

import sys
from types import ModuleType
from typing import Any, cast

#: OpenVINO and NNCF do without them where they are not installed.
_NOT_LOADED = ("openvino_telemetry", "openvino.tools.ovc")


def report_nothing() -> None:
    """Make this process one in which they are not installed. To be called before NNCF is imported."""
    for name in _NOT_LOADED:
        sys.modules.setdefault(name, cast("ModuleType", None))  # Python's own way to say that there is no such module


def import_openvino() -> Any:  # noqa: ANN401  untyped
    """Import OpenVINO's runtime.

    Raises:
        ImportError: it is not installed.
    """
    report_nothing()
    import openvino  # noqa: PLC0415  optional

    return openvino
