"""What the loudspeaker says, each sentence beside its pinyin and its translation: short, and only where to stand or what to do.

The pinyin is what espeak-ng is given for Chinese: by words, with tone numbers as they are spoken (一个 is yi2ge4), since it can't
tell which reading of a character is meant. Whoever stands by hears it too: never isolating, revoked or fever.
"""

from typing import NamedTuple

LANGUAGES = ("zh", "en")


class Spoken(NamedTuple):
    """One sentence in the station's languages."""

    zh: str
    pinyin: str
    en: str


SPOKEN: dict[str, Spoken] = {
    "show_pass": Spoken("请出示出入证", "qing3 chu1shi4 chu1ru4zheng4", "Your pass, please."),
    "one_by_one": Spoken("一个一个来", "yi2ge4 yi2ge4 lai2", "One at a time, please."),
    "measuring": Spoken("请看测温处", "qing3 kan4 ce4wen1chu4", "Please look at the sensor."),
    "ok_enter": Spoken("体温正常，请进", "ti3wen1 zheng4chang2, qing3 jin4", "All is well. Please come in."),
    "ok_leave": Spoken("请慢走", "qing3 man4 zou3", "Goodbye."),
    "again": Spoken("请再测一次", "qing3 zai4 ce4 yi2ci4", "Once more, please."),
    "wrist": Spoken("请露出手腕", "qing3 lou4chu1 shou3wan4", "Your wrist, please."),
    "wait_aside": Spoken("请到旁边等一下", "qing3 dao4 pang2bian1 deng3 yi2xia4", "Please wait at the side."),
    "not_allowed": Spoken("请止步，请找值班人员", "qing2 zhi3bu4, qing2 zhao3 zhi2ban1 ren2yuan2", "Stop. Ask the volunteer."),
    "please_wait": Spoken("请稍候", "qing3 shao1hou4", "One moment, please."),
    "emergency": Spoken("紧急放行，请通过", "jin3ji2 fang4xing2, qing3 tong1guo4", "Go through, please."),
    "badge_pin": Spoken("请输入密码", "qing3 shu1ru4 mi4ma3", "Please enter your PIN."),
    "show_desk_code": Spoken("请把今日码对准镜头", "qing2 ba3 jin1ri4ma3 dui4zhun3 jing4tou2", "Show the camera the desk code."),
    "show_register_code": Spoken("请把登记本对准镜头", "qing2 ba3 deng1ji4ben3 dui4zhun3 jing4tou2", "Show the camera the page."),
    "closed": Spoken("本门已关闭", "ben3men2 yi3 guan1bi4", "This gate is closed."),
    "which_home": Spoken("您住几号几室", "nin2 zhu4 ji3hao4 ji3shi4", "Which building and room, please?"),
    "identify": Spoken("本岗亭在这里", "ben3 gang3ting2 zai4 zhe4li3", "This is the station."),
    "next_one": Spoken("请下一位", "qing3 xia4yi2wei4", "The next one, please."),
}  # fmt: skip
