"""What keeps work moving: lister, relay, sweeper, purger."""
