"""Options that several commands share."""

from typing import Annotated, TypeAlias

import typer

AlbumOption: TypeAlias = Annotated[str, typer.Option("--album", "-a", help="Name of the album.", show_default=False)]
JsonOption: TypeAlias = Annotated[bool, typer.Option("--json", help="Print one JSON document on stdout, nothing else.")]
