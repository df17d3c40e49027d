"""`up`, `api`, `worker`, `dispatcher`: the processes that stay."""

from typing import Annotated, TypeAlias

import typer

from cli.fleet_commands import start_dispatcher, start_worker
from cli.loading import loading
from cli.output import say
from cli.termination import wait_for_interrupt

HostOption: TypeAlias = Annotated[str, typer.Option(help="Address to listen on; 0.0.0.0 for all of this machine.")]
PortOption: TypeAlias = Annotated[int, typer.Option(min=0, max=65535, help="Port to listen on; 0 for any free one.")]


def up(
    host: HostOption = "127.0.0.1",
    port: PortOption = 8000,
    open_page: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the web page in a browser, where there is a screen.")
    ] = True,
) -> None:
    """Run everything in one process: web page, API, worker and dispatcher, with nothing to install.

    Ledger, faces and uploads are kept in the data directory. Ctrl-C ends it after the photos in hand.

    Example: [bold]FACEFLEET_MODEL_PACK=demo facefleet up --port 8080[/bold]
    """
    with loading():
        from cli.composition import open_fleet  # noqa: PLC0415  takes a second that other commands do not have
        from cli.server import introduce, open_server  # noqa: PLC0415  the same
        from cli.web_browser import show_page  # noqa: PLC0415  the same

    with open_server(host, port, brings_fleet=True) as server, open_fleet(server.services, groups_apart=True):
        introduce(server)
        if open_page:
            show_page(server.url)
        wait_for_interrupt()


def api(host: HostOption = "127.0.0.1", port: PortOption = 8000) -> None:
    """Run the REST API of a fleet.

    [bold]facefleet worker[/bold] and [bold]facefleet dispatcher[/bold] do the work, on the same FACEFLEET_LEDGER_URL
    and FACEFLEET_BROKER_URL. Without FACEFLEET_QDRANT_URL this process also keeps the faces, in the data directory, for
    the workers of this machine.
    """
    with loading():
        from cli.server import introduce, open_server  # noqa: PLC0415  takes a second that other commands do not have

    with open_server(host, port, brings_fleet=False) as server:
        introduce(server)
        if not server.services.has_fleet:
            say("FACEFLEET_BROKER_URL is not set: nothing is indexed; photos that are sent wait for `facefleet up`.")
        wait_for_interrupt()


def worker() -> None:
    """Run a worker of a fleet: it claims photos, finds their faces and writes them to the gallery.

    Start as many as there are machines; each uses FACEFLEET_CPU_THREADS processor cores, or its GPU.
    """
    raise typer.Exit(start_worker())


def dispatcher() -> None:
    """Run the dispatcher of a fleet: it lists sources, sends photos to the workers, and looks after what fell behind.

    One is enough; two do no harm.
    """
    raise typer.Exit(start_dispatcher())
