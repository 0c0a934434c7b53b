"""Lets Alembic work on the connection that `service.database.connection.upgrade` opened."""

from alembic import context

from service.database.schema import schema

context.configure(connection=context.config.attributes["connection"], target_metadata=schema, transactional_ddl=True)
context.run_migrations()
