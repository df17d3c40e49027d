"""How well a recognizer does on drawn people it has never seen: `python -m demo.evaluation`."""
