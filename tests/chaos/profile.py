"""How much is run: PROFILE=short (each row once) or long, the first SEED, and RUNS of each row when given."""

import os

PROFILE = os.environ.get("PROFILE", "short")
_IS_LONG = {"short": False, "long": True}[PROFILE]
RUNS = int(os.environ.get("RUNS") or (20 if _IS_LONG else 1))
SEED = int(os.environ.get("SEED", "1"))
#: How long a server stays away.
AWAY_S = 300 if _IS_LONG else 20
#: Twenty runs make ten thousand.
MUTANTS = 500 if _IS_LONG else 240
