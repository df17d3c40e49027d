"""The truth: one SQL row per photo."""
