"""How many workers: the deadline rule that a fleet scales on, its simulation, and the planner of `facefleet plan`."""
