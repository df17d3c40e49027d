"""Who calls and what they may: keys, scopes, sessions, and secrets that are derived instead of stored."""
