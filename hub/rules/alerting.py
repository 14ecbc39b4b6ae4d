"""Alerts: what is one, how loud it is and whose, and what becomes of those that are open. Pure."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from enum import StrEnum

from hub.rights import Role
from hub.rules.compliance import Value


class Level(StrEnum):
    """How loud; the loudest first."""

    ALARM = "alarm"
    WARNING = "warning"
    NOTICE = "notice"


class Kind(StrEnum):
    """What an alert is of."""

    HELP = "help"
    EMERGENCY = "emergency"
    FEVER = "fever"
    ISOLATING = "isolating"
    FORGED = "forged"
    REVOKED = "revoked"
    BADGE = "badge_twice"
    CLOSED = "closed_passed"
    RETURNEE = "returnee_late"
    TAXI = "taxi"
    UNREACHABLE = "unreachable"
    BACKLOG = "backlog"
    DISK = "disk_low"
    CLOCK = "clock"
    BLIND = "blind"
    KEYS = "keys_due"
    OVERDUE = "rectification_overdue"
    DUE = "rectification_due"
    LACKING = "rectification_open"


class Rule(Value, frozen=True, kw_only=True):
    """How one kind is handled; `said` and `todo` are Chinese and English, and name nobody."""

    level: Level
    role: Role
    """Whose it is at first."""
    said: tuple[str, str]
    todo: tuple[str, str]
    lasting: bool = False
    """It ends by itself when it no longer holds; else it has happened, and ends when somebody has acknowledged it."""
    patience: timedelta = timedelta(0)
    """How long it holds before it is an alert."""
    loud: bool = False
    """It can't be silenced."""


_A, _W, _N = Level.ALARM, Level.WARNING, Level.NOTICE
_TEN = timedelta(minutes=10)
RULES: Mapping[Kind, Rule] = {
    Kind.HELP: Rule(level=_A, role=Role.LIAISON, loud=True, said=("求助", "Help called"),
        todo=("志愿者在门口求助,请马上联系门岗", "The volunteer has called for help: call the gate at once")),
    Kind.EMERGENCY: Rule(level=_A, role=Role.LIAISON, loud=True, said=("紧急放行", "Emergency passage"),
        todo=("有紧急放行,请了解情况,事后补登", "Somebody was let through: find out why, and see that it is written down")),
    Kind.FEVER: Rule(level=_A, role=Role.LIAISON, said=("发热", "Fever"),
        todo=("门岗测到发热,请确认已复测、已上报", "A fever was measured: see that it is measured again and reported")),
    Kind.ISOLATING: Rule(level=_A, role=Role.LIAISON, said=("居家隔离人员到门岗", "Isolating person at a gate"),
        todo=("请居委到场劝回,并核实原因", "The committee is to go there and find out why")),
    Kind.FORGED: Rule(level=_A, role=Role.SUPERVISOR, said=("疑似伪造出入证", "Pass perhaps forged"),
        todo=("签名不符,请到场核查证件来源", "The signature is wrong: find out where the pass comes from")),
    Kind.REVOKED: Rule(level=_W, role=Role.LIAISON, said=("已吊销的出入证被使用", "Revoked pass used"),
        todo=("请收回原证,必要时补发", "Take the pass back; issue another one if need be")),
    Kind.BADGE: Rule(level=_W, role=Role.SUPERVISOR, said=("同一工作证在两处在岗", "One badge on duty at two gates"),
        todo=("请核实谁在岗,是否借证代签", "Find out who is on duty, and whether the badge was lent")),
    Kind.CLOSED: Rule(level=_W, role=Role.LIAISON, lasting=True, said=("关闭的门岗有人进出", "Passage at a closed gate"),
        todo=("请查看门锁,或恢复值守", "Look at the lock, or have the gate guarded again")),
    Kind.RETURNEE: Rule(level=_A, role=Role.LIAISON, lasting=True, said=("返沪人员久等无人接", "Returnee not fetched"),
        todo=("已在门岗等候30分钟以上,请居委去接", "Has waited at the gate for over 30 minutes: the committee is to come")),
    Kind.TAXI: Rule(level=_N, role=Role.LIAISON, lasting=True, said=("出租车进入后久未离开", "Taxi inside for long"),
        todo=("请门岗查找车辆,催其离开", "The gate is to look for it and have it leave")),
    Kind.UNREACHABLE: Rule(level=_W, role=Role.LIAISON, lasting=True, patience=_TEN, said=("门岗失联", "Gate unreachable"),
        todo=("超过10分钟没有消息,请派人查看电源和网络", "Silent for over 10 minutes: have power and network looked at")),
    Kind.BACKLOG: Rule(level=_N, role=Role.SUPERVISOR, lasting=True, said=("岗亭记录积压", "Records wait at a station"),
        todo=("记录传不上来,请检查该处网络", "Its records don't get through: have the network there looked at")),
    Kind.DISK: Rule(level=_W, role=Role.ADMIN, lasting=True, said=("岗亭存储将满", "Station's disk nearly full"),
        todo=("请尽快更换或清理存储卡", "Change or clear its card soon")),
    Kind.CLOCK: Rule(level=_N, role=Role.ADMIN, lasting=True, patience=_TEN, said=("岗亭时钟未校准", "Station's clock not set"),
        todo=("超过10分钟未校时,请检查该处网络和时钟", "Not set for over 10 minutes: have its network and clock looked at")),
    Kind.BLIND: Rule(level=_A, role=Role.ADMIN, lasting=True, patience=_TEN, said=("中枢收不到消息", "Hub hears nothing"),
        todo=("请检查消息服务和接收程序", "Look at the broker and the ingest")),
    Kind.KEYS: Rule(level=_W, role=Role.ADMIN, lasting=True, said=("密钥证书将到期", "A key's certificate is ending"),
        todo=("请用离线根重新签发:hub key list", "Have it certified anew by the offline root: see `hub key list`")),
    Kind.OVERDUE: Rule(level=_W, role=Role.SUPERVISOR, lasting=True, said=("整改逾期", "Rectification overdue"),
        todo=("逾期1小时以上仍未销项,请督办", "Over an hour past its due time and not closed: see to it")),
    Kind.DUE: Rule(level=_N, role=Role.LIAISON, lasting=True, said=("整改将到期", "Rectification due soon"),
        todo=("还没有回复,请尽快整改并回复", "Not answered yet: put it right and say so")),
    Kind.LACKING: Rule(level=_N, role=Role.LIAISON, lasting=True, said=("门岗缺项,待整改", "To be put right at a gate"),
        todo=("请到门岗补齐,并在整改页回复", "See that it is there, and answer on the rectification's page")),
}  # fmt: skip
"""Every kind, in the order in which alerts of one level are shown."""

LADDER = (Role.LIAISON, Role.SUPERVISOR, Role.ADMIN)
"""Who is told next when nobody acknowledges."""
ESCALATES = {Level.ALARM: timedelta(minutes=15), Level.WARNING: timedelta(minutes=60)}
"""How long an alert waits to be acknowledged before the next role up is told; a notice waits."""
OLD = timedelta(hours=24)
"""What happened longer ago is only written down; what nobody acknowledged ends."""
LATE = timedelta(minutes=10)
"""What is heard of so long after it happened is said to be late."""
LONGEST_SILENCE = timedelta(hours=24)


class About(Value, frozen=True, kw_only=True):
    """What an alert would be of. `key` tells two of a kind apart; `subject` is a place, never a person."""

    kind: Kind
    key: str
    gate: str | None = None
    compound: str | None = None
    subject: str = ""


class Happening(About, frozen=True, kw_only=True):
    """Something that happened once, as an event tells it."""

    event: str
    at: datetime


class Condition(About, frozen=True, kw_only=True):
    """Something that is so now."""

    since: datetime


class Open(Value, frozen=True, kw_only=True):
    """An alert that has not ended; `first_at` is when the hub raised it, `last_at` when it last counted it."""

    id: str
    kind: Kind
    key: str
    gate: str | None
    first_at: datetime
    last_at: datetime
    acknowledged_at: datetime | None = None
    escalated_at: datetime | None = None


class Silence(Value, frozen=True, kw_only=True):
    """Alerts of a kind that are recorded and not sent, at one gate or, with None, at all."""

    kind: Kind
    gate: str | None
    from_at: datetime
    until_at: datetime


class Raise(Value, frozen=True, kw_only=True):
    """A new alert of `count` happenings, or of a condition."""

    about: About
    count: int = 1
    event: str | None = None
    silenced: bool = False
    """Recorded and not sent."""
    late: bool = False
    old: bool = False
    """Over before it was heard of: recorded as ended, and not sent."""


class Repeat(Value, frozen=True, kw_only=True):
    """More of what an open alert is of."""

    id: str
    count: int


class Escalate(Value, frozen=True, kw_only=True):
    """An alert that nobody acknowledged, and the roles that are told now, in order."""

    id: str
    roles: tuple[Role, ...]


class Plan(Value, frozen=True, kw_only=True):
    """What is to be written: first what ends, then the rest."""

    ended: tuple[str, ...] = ()
    raised: tuple[Raise, ...] = ()
    repeated: tuple[Repeat, ...] = ()
    escalated: tuple[Escalate, ...] = ()


def decide(
    known: Iterable[Open], happened: Iterable[Happening], holds: Iterable[Condition], looked_at: Collection[Kind],
    silences: Collection[Silence], now: datetime,
) -> Plan:  # fmt: skip
    """What becomes of the open alerts, and which are new. Conditions of kinds that were not looked at neither begin nor end."""
    conditions = {(one.kind, one.key): one for one in holds if one.kind in looked_at}
    alerts = list(known)
    ended = {one.id for one in alerts if _is_over(one, conditions, looked_at, silences, now)}
    still = {(one.kind, one.key): one for one in alerts if one.id not in ended}
    repeated, raised = _count(happened, still, silences, now)
    raised += [_raise(one, silences, now) for pair, one in conditions.items() if pair not in still and _is_ripe(one, now)]
    escalated = [Escalate(id=one.id, roles=due) for one in still.values() if (due := _due(one, silences, now))]
    return Plan(ended=tuple(sorted(ended)), raised=tuple(raised), repeated=tuple(repeated), escalated=tuple(escalated))


def silenced(kind: Kind, gate: str | None, at: datetime, silences: Iterable[Silence]) -> bool:
    """Whether alerts of this kind at this gate are not sent at that time. A help call and an emergency always are."""
    return any(_covers(one, kind, gate) and one.from_at <= at < one.until_at for one in silences)


def ladder(kind: Kind) -> tuple[Role, ...]:
    """Whose alert it is at first, and who is told after that."""
    return LADDER[LADDER.index(RULES[kind].role) :]


def wait(kind: Kind) -> timedelta | None:
    """How long it waits for each role before the next; None: for ever."""
    return ESCALATES.get(RULES[kind].level)


def _is_over(
    one: Open, conditions: Mapping[tuple[Kind, str], Condition], looked_at: Collection[Kind],
    silences: Collection[Silence], now: datetime,
) -> bool:  # fmt: skip
    """An alert that began in a silence ends with it: what still holds then is raised anew, and sent."""
    if silenced(one.kind, one.gate, one.first_at, silences) and not silenced(one.kind, one.gate, now, silences):
        return True
    if RULES[one.kind].lasting:
        return one.kind in looked_at and (one.kind, one.key) not in conditions
    return one.acknowledged_at is not None or now - one.last_at >= OLD


def _count(
    happened: Iterable[Happening], still: Mapping[tuple[Kind, str], Open], silences: Collection[Silence], now: datetime
) -> tuple[list[Repeat], list[Raise]]:
    """Happenings by kind and key: of an open alert, of a new one, and those too old to be more than written down."""
    fresh: dict[tuple[Kind, str], list[Happening]] = {}
    old: dict[tuple[Kind, str], list[Happening]] = {}
    for one in happened:
        (old if now - one.at >= OLD else fresh).setdefault((one.kind, one.key), []).append(one)
    repeated = [Repeat(id=still[pair].id, count=len(of)) for pair, of in fresh.items() if pair in still]
    raised = [_raise(of[0], silences, now, count=len(of)) for pair, of in fresh.items() if pair not in still]
    return repeated, raised + [_raise(of[0], silences, now, count=len(of)) for of in old.values()]


def _raise(one: Happening | Condition, silences: Collection[Silence], now: datetime, count: int = 1) -> Raise:
    quiet = silenced(one.kind, one.gate, now, silences)
    if isinstance(one, Condition):
        return Raise(about=one, silenced=quiet)
    age = now - one.at
    return Raise(about=one, count=count, event=one.event, silenced=quiet, late=age >= LATE, old=age >= OLD)


def _is_ripe(one: Condition, now: datetime) -> bool:
    return now - one.since >= RULES[one.kind].patience


def _due(one: Open, silences: Collection[Silence], now: datetime) -> tuple[Role, ...]:
    """The roles whose turn has come since the last escalation: the time alone says how far up an alert has gone."""
    if one.acknowledged_at is not None or silenced(one.kind, one.gate, now, silences):
        return ()
    reached = 0 if one.escalated_at is None else _steps(one, one.escalated_at)
    return ladder(one.kind)[reached + 1 : _steps(one, now) + 1]


def _steps(one: Open, at: datetime) -> int:
    waited = wait(one.kind)
    return 0 if waited is None else min(int((at - one.first_at) / waited), len(ladder(one.kind)) - 1)


def _covers(one: Silence, kind: Kind, gate: str | None) -> bool:
    return one.kind is kind and one.gate in (None, gate) and not RULES[kind].loud
