"""The register's books, each with its columns in the order in which they are written, in Chinese and English. Pure."""

from typing import NamedTuple

from kiosk.rules.paper import BOOKS


class CannotPrint(Exception):
    """Pages can't be made, and what to do."""


class Column(NamedTuple):
    """One column: its heads, `\\n` where a line may end, and its share of the width."""

    zh: str
    en: str
    share: float


RESIDENTS = (
    Column("日期", "Date", 13), Column("时间", "Time", 12), Column("进/出", "In/Out", 10), Column("楼室", "Dwelling", 16),
    Column("姓名", "Name", 16), Column("体温", "Temp °C", 12), Column("复测时间", "Retaken", 13),
    Column("复测体温", "Again °C", 13), Column("备注", "Remarks", 20),
)  # fmt: skip
OUTSIDERS = (
    *RESIDENTS, Column("电话", "Phone", 27), Column("从何处来", "From", 20), Column("事由", "Reason", 18),
    Column("到访户", "Visits", 16), Column("住户\n确认", "Confirmed", 11),
    Column("14天重点地\n区史/接触史", "Key area or\ncontact, 14 d", 19), Column("离开时间", "Left", 13),
    Column("登记人", "By", 14),
)  # fmt: skip
VEHICLES = (
    Column("日期", "Date", 15), Column("时间", "Time", 14), Column("车牌", "Plate", 26), Column("司机", "Driver", 20),
    Column("体温", "Temp °C", 13),
    *(column for n in "1234" for column in (Column(f"乘员{n}", f"Occupant {n}", 20), Column("体温", "Temp °C", 13))),
    Column("后备箱", "Boot", 14), Column("进/出", "In/Out", 12),
)  # fmt: skip
HOMECOMING = (
    Column("日期", "Date", 14), Column("时间", "Time", 13), Column("楼室", "Dwelling", 18), Column("姓名", "Name", 18),
    Column("电话", "Phone", 28), Column("从哪里回来", "Back from", 28), Column("哪天到", "Arrived on", 16),
    Column("同行人数", "Persons", 14), Column("体温", "Temp °C", 13), Column("居委接人", "Met by", 20),
    Column("接走时间", "Taken home", 15), Column("登记人", "By", 18), Column("备注", "Remarks", 30),
)  # fmt: skip
HANDOVER = (
    Column("日期", "Date", 14), Column("时间", "Time", 13), Column("交班人", "Hands over", 24),
    Column("接班人", "Takes over", 24), Column("五项齐全", "All five", 16), Column("未办事项", "Left to do", 70),
    Column("物品交接", "Things", 45), Column("备注", "Remarks", 40),
)  # fmt: skip
COLUMNS: dict[str, tuple[Column, ...]] = dict(zip(BOOKS, (RESIDENTS, OUTSIDERS, VEHICLES, HOMECOMING, HANDOVER), strict=True))
TITLES: dict[str, tuple[str, str]] = {
    "residents": ("居民登记本", "Register: residents"), "outsiders": ("外来人员登记本", "Register: outsiders"),
    "vehicles": ("车辆登记本", "Register: vehicles"), "homecoming": ("返沪报到登记本", "Register: homecoming"),
    "handover": ("交接班登记本", "Shift hand-over"),
}  # fmt: skip
