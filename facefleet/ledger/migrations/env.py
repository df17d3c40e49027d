"""What Alembic runs: the migrations, on the connection that `migrate` hands over, inside its transaction."""

from alembic import context

from facefleet.ledger.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
