"""What alarms at the gates of the seeded sub-district: written by its stations like anything else, just before the hub looks."""

import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

import sqlalchemy as sa

from contract.events import BarrierOpened, Direction, Entry, HelpCalled, Outcome, ShiftChange, Who
from hub.demo.district.days import Post, Telling
from hub.demo.district.entries import reading
from hub.rules.compliance import is_open
from hub.store.tables import passes

_GATES = 300
_DAYTIME = range(6, 22)
_IN = Direction.IN
Passes = Mapping[str, Sequence[str]]
"""Compound → passes."""
Fits = Callable[[Post, datetime], bool]
Writes = Callable[[Post, datetime], None]


def plan(telling: Telling, looks: Sequence[datetime], seed: int) -> None:
    """Have the stations write what alarms, each within the minute before a look of the hub."""
    rng, posts = random.Random(f"incidents {seed}"), list(telling.posts.values())
    isolating, revoked = _load(telling.conn, passes.c.isolating), _load(telling.conn, passes.c.revoked_at.is_not(None))
    share = len(posts) / _GATES * ((telling.now - telling.begins) / timedelta(days=1))

    def happens(a_day: float, fits: Fits, writes: Writes, *, night: bool = False) -> None:
        for _ in range(int(a_day * share + rng.random())):
            at = rng.choice(looks) - timedelta(seconds=rng.randint(10, 50))
            if not night and at.astimezone(telling.zone).hour not in _DAYTIME:
                continue
            found = [post for post in posts if not post.story.is_silent(at) and fits(post, at)]
            if found:
                writes(rng.choice(found), at)

    def is_opened(post: Post, at: datetime) -> bool:
        return is_open(post.gate.schedule, at.astimezone(telling.zone))

    happens(9, is_opened, lambda post, at: _fever(rng, post, at))
    happens(3, is_opened, _emergency, night=True)
    happens(2.5, is_opened, _help)
    happens(2, lambda post, at: is_opened(post, at) and post.gate.compound.id in isolating,
            lambda post, at: _refused(rng, post, at, "isolating", isolating))  # fmt: skip
    happens(2, lambda post, at: is_opened(post, at) and post.gate.compound.id in revoked,
            lambda post, at: _refused(rng, post, at, "revoked", revoked))  # fmt: skip
    happens(0.6, is_opened, lambda post, at: post.push(at, Entry(direction=_IN, outcome=Outcome.REFUSE, reasons=("forged",))))
    happens(1, lambda post, at: _elsewhere(post, posts, at) is not None, lambda post, at: _twice(post, posts, at))
    happens(1.2, lambda post, at: not is_opened(post, at), _at_closed, night=True)
    happens(1.2, is_opened, lambda post, at: _taxi(rng, post, at))
    happens(0.8, is_opened, lambda post, at: _returnee(rng, post, at))


def _load(conn: sa.Connection, which: sa.ColumnElement[bool]) -> Passes:
    found: dict[str, list[str]] = {}
    for row in conn.execute(
        sa.select(passes.c.id, passes.c.compound).where(which).order_by(passes.c.compound, passes.c.dwelling)
    ):
        found.setdefault(row.compound, []).append(row.id)
    return found


def _id(post: Post, at: datetime) -> str:
    return f"seed-{post.gate.id}-{int(at.timestamp())}"


def _fever(rng: random.Random, post: Post, at: datetime) -> None:
    """Most are measured again after a while in the warm."""
    hot = Entry(direction=_IN, outcome=Outcome.REFER, reasons=("fever",), reading=reading(rng, fever=True), by=on_duty(post, at))
    post.push(at, hot, _id(post, at))
    if rng.random() < 0.6:
        after = Entry(direction=_IN, outcome=Outcome.ADMIT, reading=reading(rng), by=hot.by, follows=_id(post, at))
        post.push(at + timedelta(minutes=rng.randint(6, 12)), after)


def _emergency(post: Post, at: datetime) -> None:
    post.push(at, Entry(direction=_IN, outcome=Outcome.EMERGENCY, by=on_duty(post, at)))
    post.push(at + timedelta(seconds=1), BarrierOpened(cause="emergency", by=on_duty(post, at)))


def _help(post: Post, at: datetime) -> None:
    post.push(at, HelpCalled(by=on_duty(post, at)))


def _refused(rng: random.Random, post: Post, at: datetime, why: str, known: Passes) -> None:
    outcome = Outcome.REFER if why == "isolating" else Outcome.REFUSE
    direction = Direction.OUT if why == "isolating" else _IN
    pass_id = rng.choice(known[post.gate.compound.id])
    post.push(at, Entry(direction=direction, outcome=outcome, reasons=(why,), pass_id=pass_id, pass_kind="resident"))


def _twice(post: Post, posts: Sequence[Post], at: datetime) -> None:
    """Somebody on duty at another gate of the compound signs in here as well."""
    other = _elsewhere(post, posts, at)
    badge = on_duty(other, at) if other is not None else None
    if badge is not None:
        post.push(at, ShiftChange(on=True, badge=badge))


def _at_closed(post: Post, at: datetime) -> None:
    post.push(at, Entry(direction=Direction.OUT, outcome=Outcome.UNCHECKED, reasons=("unchecked",)))


def _taxi(rng: random.Random, post: Post, at: datetime) -> None:
    body = Entry(
        direction=_IN, outcome=Outcome.ADMIT, who=Who.TAXI, found="form", people=2, boot_checked=True, by=on_duty(post, at)
    )
    post.push(at, body, _id(post, at))
    if rng.random() < 0.8:
        out = Entry(direction=Direction.OUT, outcome=Outcome.ADMIT, who=Who.TAXI, found="form", visit=_id(post, at))
        post.push(at + timedelta(minutes=rng.randint(20, 150)), out)


def _returnee(rng: random.Random, post: Post, at: datetime) -> None:
    """Waits at the gate until the committee has come, mostly too long."""
    body = Entry(direction=_IN, outcome=Outcome.REFER, reasons=("homecoming",), who=Who.TRAVELLER, found="form", key_area=True,
                 reading=reading(rng), by=on_duty(post, at))  # fmt: skip
    post.push(at, body, _id(post, at))
    home = Entry(direction=_IN, outcome=Outcome.ADMIT, who=Who.TRAVELLER, found="form", follows=_id(post, at), by=body.by)
    post.push(at + timedelta(minutes=rng.randint(20, 75)), home)


def on_duty(post: Post, at: datetime) -> str | None:
    """The badge that has the shift at a time; None: nobody has."""
    begun = max((begins for begins in post.story.turns if begins <= at), default=None)
    return None if begun is None else post.story.turns[begun]


def _elsewhere(post: Post, posts: Sequence[Post], at: datetime) -> Post | None:
    same = (one for one in posts if one.gate.compound is post.gate.compound and one is not post)
    return next((one for one in same if on_duty(one, at) is not None), None)
