"""Drawn people: an album to try Facefleet on, and the model pack that was trained on such drawings."""
