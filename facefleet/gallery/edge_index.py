"""An index for an embedded gallery that became too large to be compared face by face.

The engine builds it while it holds the interpreter, for minutes, so it is built by a process that serves nobody.
"""

import json
from pathlib import Path
from typing import Final

import qdrant_edge as edge

from facefleet.errors import ConfigurationError
from facefleet.gallery.directory_lock import lock_directory
from facefleet.gallery.points import ALBUM_KEY

#: Albums are compared as numbers: as text, that took half of the time of a search by a graph.
ALBUM_INDEX: Final = edge.PayloadSchemaType.Uuid
#: As many candidates as take about 20 ms (p99) in an album of a million (docs/benchmarks.md). They are found over
#: bytes; three times as many as are wanted are compared again with all their digits.
SEARCH_INDEXED: Final = edge.SearchParams(
    hnsw_ef=1024, quantization=edge.QuantizationSearchParams(rescore=True, oversampling=3.0)
)
#: Every search is within an album: graphs for albums only, and for those of more than 10 MB of templates.
_GRAPH: Final = edge.HnswIndexConfig(m=0, payload_m=32, ef_construct=128, full_scan_threshold=10_000)
_BYTES: Final = edge.ScalarQuantizationConfig(type=edge.ScalarType.Int8, quantile=0.99, always_ram=True)
#: Kilobytes of templates from which on a segment gets an index.
_INDEXED_FROM_KB: Final = 10_000


def index_gallery(directory: Path) -> dict[str, int]:
    """Build or renew the index of every model version.

    Args:
        directory: of the gallery; nobody else may have it open.

    Returns:
        Faces that are in an index, by model version.

    Raises:
        DataDirectoryInUse: a server has it open.
        ConfigurationError: what is in it cannot be read.
    """
    with lock_directory(directory):
        versions = [path for path in sorted(directory.iterdir()) if (path / "edge_config.json").is_file()]
        return {path.name: _index_version(path) for path in versions}


def _index_version(path: Path) -> int:
    try:
        dimensions = json.loads((path / "edge_config.json").read_text())["vectors"][""]["size"]
        wanted = edge.EdgeConfig(
            vectors=edge.EdgeVectorParams(size=dimensions, distance=edge.Distance.Cosine),
            hnsw_config=_GRAPH,
            quantization_config=_BYTES,
            # A segment from which anything was deleted is written anew: no deleted template stays in a file.
            optimizers=edge.EdgeOptimizersConfig(
                indexing_threshold=_INDEXED_FROM_KB, deleted_threshold=1e-9, vacuum_min_vector_number=1
            ),
        )
        engine = edge.EdgeShard.load(str(path), wanted)
        # Older galleries compare albums as text.
        engine.update(edge.UpdateOperation.create_field_index(ALBUM_KEY, ALBUM_INDEX))
        engine.optimize()
        indexed = int(engine.info().indexed_vectors_count)
        engine.close()
    except Exception as error:  # the engine raises nothing more specific
        raise ConfigurationError(f"the gallery in {path} cannot be indexed: {error}") from error
    return indexed
