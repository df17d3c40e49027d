"""`optimize`: an index for the embedded gallery, while no server runs."""

from cli.output import say


def optimize() -> None:
    """Index the embedded gallery, so that albums of more than 100,000 faces are searched in milliseconds.

    Only while no server runs; a hundred thousand faces take minutes, a million a quarter of an hour to an hour.
    Searches then find nearly all faces that are alike, and leave out some that are hardly alike (docs/benchmarks.md).
    Run it again when an album has grown much, and after a purge: until then, its files keep what was
    deleted. With a Qdrant server there is nothing to do.
    """
    from cli.composition import load_settings  # noqa: PLC0415  see cli.whereabouts
    from cli.data_directory import hold_data_directory  # noqa: PLC0415  the same
    from facefleet.gallery.edge_index import index_gallery  # noqa: PLC0415  the same

    settings = load_settings()
    if settings.qdrant_url:
        say("FACEFLEET_QDRANT_URL is set: the Qdrant server builds its indexes itself.")
        return
    with hold_data_directory(settings.data_dir):
        indexed = index_gallery(settings.data_dir / "gallery")
    for version, faces in indexed.items():
        say(f"Model {version}: {faces:,} faces are in an index; albums of less than 10 MB of templates need none.")
    if not indexed:
        say("The gallery is empty.")
