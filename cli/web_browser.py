"""Opening the web page in the browser of whoever started the server, where there is one to see it."""

import os
import sys
import webbrowser
from collections.abc import Mapping
from threading import Thread

_SCREENS = ("DISPLAY", "WAYLAND_DISPLAY")


def show_page(url: str) -> None:
    """Open a page in the usual browser, without waiting for it; nothing happens where nobody would see it."""
    if has_screen(sys.platform, os.environ) and sys.stderr.isatty():
        Thread(target=webbrowser.open, args=(url,), name="web-browser", daemon=True).start()


def has_screen(platform: str, environment: Mapping[str, str]) -> bool:
    """Tell whether a browser could open a window: over SSH, in a container and in a service it could not.

    Args:
        platform: as `sys.platform`.
        environment: as `os.environ`.
    """
    if environment.get("SSH_CONNECTION") or environment.get("CI"):
        return False
    if platform in {"darwin", "win32"}:
        return True
    return any(environment.get(name) for name in _SCREENS)
