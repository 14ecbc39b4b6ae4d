"""Alembic's entry: it runs within the transaction that `hub.store.migrate` began, on that connection."""

from alembic import context

import hub.store.joining
import hub.store.running
import hub.store.supervision  # noqa: F401  (its tables join the others in `metadata`)
from hub.store.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
with context.begin_transaction():
    context.run_migrations()
