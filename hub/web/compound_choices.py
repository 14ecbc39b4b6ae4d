"""The compounds that the account of this request answers for, as a list to choose from."""

import sqlalchemy as sa

from hub.store.tables import committees, compounds
from hub.web.guard import reach

Choices = list[tuple[str, list[tuple[str, str]]]]
"""Committee → its compounds, each by id and name."""


def compound_choices(conn: sa.Connection) -> Choices:
    """Those in reach, by committee."""
    query = sa.select(compounds.c.id, compounds.c.name, committees.c.name.label("committee")).join_from(compounds, committees)
    known = reach()
    query = query if known is None else query.where(compounds.c.id.in_(sorted(known)))
    made: dict[str, list[tuple[str, str]]] = {}
    for row in conn.execute(query.order_by(committees.c.name, committees.c.id, compounds.c.name, compounds.c.id)):
        made.setdefault(row.committee, []).append((row.id, row.name))
    return list(made.items())


def names_of(choices: Choices) -> dict[str, str]:
    """Compound → name."""
    return {id: name for _, found in choices for id, name in found}
