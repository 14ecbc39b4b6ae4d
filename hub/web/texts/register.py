"""The register's words, Chinese and English side by side: what stations write as short keys, which may be more one day."""

from hub.web.texts.reasons import Pair

WORDS: dict[str, dict[str, Pair]] = {
    "who": {
        "resident": ("居民", "resident"), "visitor": ("访客", "visitor"), "courier": ("快递外卖", "courier"),
        "worker": ("务工人员", "worker"), "traveller": ("返沪人员", "traveller"), "companion": ("同行人", "companion"),
        "vehicle": ("车辆", "vehicle"), "taxi": ("出租车", "taxi"), "volunteer": ("志愿者", "volunteer"),
        "supervisor": ("督查员", "supervisor"), "enrolment": ("登记用证", "enrolment"),
    },
    "role": {
        "driver": ("司机", "driver"), "occupant": ("乘员", "occupant"), "child": ("小孩", "child"), "elder": ("老人", "elder"),
        "holder": ("本人", "holder"), "visitor": ("访客", "visitor"), "companion": ("同行", "companion"),
        "resident": ("居民", "resident"),
    },
    "purpose": {
        "visit": ("探访", "visit"), "delivery": ("送货", "delivery"), "repair": ("维修", "repair"), "care": ("照护", "care"),
        "property": ("物业", "property"), "removal": ("搬家", "removal"), "work": ("上班", "work"),
        "medical": ("就医", "medical"), "ride": ("接送", "ride"),
        "official": ("公务", "official"), "other": ("其他事由", "other purpose"),
    },
    "found": {
        "list": ("名册查找", "found on the list"), "paper": ("凭纸本", "from paper"), "code": ("扫码", "by code"),
        "form": ("询问登记", "asked"),
    },
    "tally": {"courier": ("快递放货架", "left at the shelf by couriers")},
    "barrier": {
        "emergency": ("紧急放行", "emergency"), "entry": ("放行", "entry"), "touch": ("屏幕开杆", "by touch"),
        "button": ("按钮开杆", "by its button"), "hub": ("中枢开杆", "by the hub"),
    },
    "photo": {
        "emergency": ("紧急放行", "emergency"), "help": ("求助", "help"), "unchecked": ("未检进入", "walked through"),
        "lock": ("门锁", "lock"),
    },
}  # fmt: skip
