"""Messages into the store: many in one transaction, or each in its own when one of them spoils it."""

import logging
from collections.abc import Sequence
from datetime import datetime

import sqlalchemy as sa

from hub.intake import Received, Refused, Taken, take
from hub.judging import Judging, judge
from hub.keeping import Keeper, Kept
from hub.rules.compliance import Value
from hub.store import meta
from hub.store.writing import writing

log = logging.getLogger(__name__)


class Stored(Value, frozen=True, kw_only=True):
    """What one committed transaction has kept, and when the gates it touched may next change by time alone."""

    kept: Kept
    due: dict[str, datetime]


def is_passing(error: Exception) -> bool:
    """Whether the store, not a message, is at fault (locked, read-only, full, away): what failed is to be tried again."""
    of_data = isinstance(error, sa.exc.DataError | sa.exc.IntegrityError)
    return isinstance(error, sa.exc.DBAPIError | sa.exc.TimeoutError) and not of_data


def store(engine: sa.Engine, messages: Sequence[Received], now: datetime, judging: Judging) -> list[Stored]:
    """Keep messages and commit; raises only what `is_passing`, and then nothing is kept of this call's last transaction."""
    try:
        return [_store(engine, [(take(m), m) for m in messages], now, judging)]
    except Exception as error:
        if is_passing(error):
            raise
        if len(messages) > 1:
            return [one for message in messages for one in store(engine, [message], now, judging)]
        log.exception("a message could not be stored")
        refused = Refused(station="", at=now, kind="unstorable", reason=f"{type(error).__name__}: {error}")
        return [_store(engine, [(refused, messages[0])], now, judging)]


def _store(engine: sa.Engine, taken: Sequence[tuple[Taken, Received]], now: datetime, judging: Judging) -> Stored:
    with writing(engine) as connection:
        keeper = Keeper(connection)
        for one, received in taken:
            keeper.keep(one, received)
        kept = keeper.finish()
        if kept.worth_showing:
            meta.bump(connection)
        return Stored(kept=kept, due=_judge(connection, kept, now, judging))


def _judge(connection: sa.Connection, kept: Kept, now: datetime, judging: Judging) -> dict[str, datetime]:
    try:
        with connection.begin_nested():
            return judge(connection, kept.gates, now, judging)
    except Exception as error:
        if is_passing(error):
            raise
        log.exception("gates could not be judged; what was heard is kept all the same")
        return {}
