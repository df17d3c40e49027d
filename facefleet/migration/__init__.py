"""From one model to another while people are searched for."""
