"""七色管理: the seven colours and what a gate does for each. Data, and a default: no public source names the seven."""

from contract.directory import ColourRule

RULES = {
    "red": ColourRule(label="红 确诊或密接", gate="refer"),
    "orange": ColourRule(label="橙 重点地区未满14天", gate="homecoming"),
    "yellow": ColourRule(label="黄 外地返回未满14天", gate="admit", ask_symptoms=True),
    "blue": ColourRule(label="蓝 已满14天", gate="admit"),
    "green": ColourRule(label="绿 常住居民", gate="admit"),
    "purple": ColourRule(label="紫 需要照护", gate="admit", quota=False),
    "white": ColourRule(label="白 尚未登记", gate="refer"),
}
DEFAULT = "green"
