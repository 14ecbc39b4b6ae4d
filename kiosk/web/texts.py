"""Every word on the screen, each beside its translation, so that no language can lack one. `\\n` is a line break.

A key that is not here is shown as it is: an unknown reason never empties the screen.
"""

from kiosk.web.reasons import REASONS, Pair
from kiosk.web.work import WORK, WORK_GROUPS

LANGUAGES = ("zh", "en")

SENTENCES: dict[str, Pair] = {
    "show_pass": ("请出示\n出入证", "Pass,\nplease"),
    "one_by_one": ("一个\n一个来", "One at\na time"),
    "measuring": ("请看\n测温处", "Look\nhere"),
    "ok_enter": ("体温正常，\n请进", "Fine,\ncome in"),
    "ok_leave": ("请慢走", "Goodbye"),
    "again": ("请再测\n一次", "Once\nmore"),
    "wrist": ("请露出\n手腕", "Wrist,\nplease"),
    "wait_aside": ("请到旁边\n等一下", "Wait at\nthe side"),
    "not_allowed": ("禁止通行", "No entry"),
    "please_wait": ("请稍候", "Please\nwait"),
    "emergency": ("紧急放行", "Go\nthrough"),
    "next_one": ("请下一位", "Next one,\nplease"),
    "which_home": ("您住\n几号几室", "Where do\nyou live?"),
    "badge_pin": ("请输入密码", "Enter your PIN"),
    "show_desk_code": ("请把登记桌今日码对准镜头", "Show the camera today's desk code"),
    "show_register_code": ("请翻到登记本今日页，对准镜头", "Show the camera today's page of the register"),
    "closed": ("门岗\n关闭", "Gate\nclosed"),
    "identify": ("本岗亭\n在这里", "This\nstation"),
}

TODOS: dict[str, Pair] = {
    "show_badge": ("请刷工作证", "Show your badge"),
    "sign_in": ("请刷工作证签到", "Sign in by badge"),
    "confirm_duty": ("我在", "I am here"),
    "show_desk_code": ("对准今日码", "Show desk code"),
    "show_register_code": ("对准今日页", "Show today's page"),
    "check_by_eye": ("改为人工查验", "Check by eye"),
    "use_gun": ("改用手持枪", "Use a hand gun"),
    "check_camera": ("请查摄像头", "Look at the camera"),
    "check_thermometer": ("请查测温仪", "Look at the sensor"),
    "check_network": ("请查网络", "Look at the network"),
    "free_disk": ("请联系维护", "Call maintenance"),
    "use_paper": ("请用纸质登记本", "Use the paper book"),
    "call_supervisor": ("请联系联络员", "Call the liaison"),
}

ERRORS: dict[str, Pair] = {
    "wrong_pin": ("密码不对，请再输一次", "Wrong PIN, once more"),
    "badge_expired": ("工作证过期", "Badge expired"),
    "badge_not_yet_valid": ("工作证未生效", "Badge not valid yet"),
    "badge_other_compound": ("不是本小区的工作证", "Another compound's badge"),
    "badge_revoked": ("工作证已吊销", "Badge revoked"),
    "locked_out": ("密码错太多次，请稍后再试", "Too many wrong PINs: wait a little"),
    "no_pin": ("此证没有密码，请联系居委", "This badge has no PIN: call the committee"),
    "not_today": ("不是今日的码", "Not today's code"),
    "wrong_code": ("不是这个码", "Not this code"),
    "not_signed_in": ("请先刷工作证签到", "Sign in by badge first"),
    "not_now": ("现在不能这样做", "Not possible now"),
    "out_of_range": ("应为30.0至43.0", "30.0 to 43.0 only"),
    "no_photo": ("没拍到照片，请再来一次", "No photo taken, once more"),
    "no_such_entry": ("找不到这条记录", "No such entry"),
    "already_corrected": ("这条已更正过", "Corrected already"),
    "timed_out": ("超时，请重来", "Timed out, begin again"),
    "no_such_person": ("名册里没有此人", "Not in the roster"),
    "roster_closed": ("名册未打开：请刷工作证、输密码", "Roster closed: show your badge, enter the PIN"),
    "roster_no_key": ("此工作证打不开名册：请居委重设密码", "This badge can't open the roster: have its PIN set anew"),
    "nobody_there": ("现在没有人可加", "Nobody to go with"),
    "needs_plate": ("请先填车牌", "The plate is needed"),
    "needs_name": ("请填姓名、电话或到访户", "Name, phone or household is needed"),
    "settings_closed": ("设置已关闭，请再输密码", "The settings are closed: PIN again"),
    "no_settings_pin": ("还没有设置密码", "No PIN for the settings yet"),
    "not_aside": ("此人已不在旁边", "No longer at the side"),
    "no_barrier": ("没有道闸", "There is no barrier"),
    "time_ahead": ("这个时间还没到", "That time is still to come"),
    "not_received": ("没有收到，请再按一次", "Not received, press again"),
}

ITEM_NAMES: dict[str, Pair] = {
    "volunteer": ("志愿者", "Volunteer"),
    "desk": ("登记桌", "Desk"),
    "register": ("登记本", "Register"),
    "passes": ("出入证", "Passes"),
    "temperature": ("测温", "Temp"),
}

KINDS: dict[str, Pair] = {
    "resident": ("居民", "Resident"),
    "visitor": ("访客", "Visitor"),
    "worker": ("施工", "Worker"),
    "vehicle": ("车辆", "Vehicle"),
    "volunteer": ("志愿者", "Volunteer"),
    "supervisor": ("督查员", "Supervisor"),
    "enrolment": ("终端入网", "Enrolment"),
}

OUTCOMES: dict[str, Pair] = {
    "admit": ("放行", "Admitted"),
    "retake": ("复测", "Retake"),
    "refer": ("请稍候", "Referred"),
    "refuse": ("禁止通行", "Refused"),
    "emergency": ("紧急放行", "Emergency"),
    "unchecked": ("未检进入", "Unchecked"),
}

PHASES: dict[str, Pair] = {
    "waiting": ("等待", "Waiting"),
    "several": ("多张证", "Several passes"),
    "measuring": ("测温中", "Measuring"),
    "typing": ("手持枪读数", "Hand gun's figure"),
    "outcome": ("结果", "Outcome"),
    "pin": ("输入密码", "PIN"),
    "checklist": ("查验", "Checklist"),
}

DIRECTIONS: dict[str, Pair] = {"in": ("进", "In"), "out": ("出", "Out")}
SITES: dict[str, Pair] = {"forehead": ("额头", "Brow"), "wrist": ("手腕", "Wrist"), "neck": ("颈部", "Neck")}

UI: dict[str, Pair] = {
    "title": ("岗亭终端", "Gate station"),
    "emergency": ("紧急\n放行", "Urgent\nentry"),
    "unchecked": ("未检\n进入", "No\ncheck"),
    "help": ("求助", "Help"),
    "visitor": ("访客", "Visitor"),
    "other_language": ("English", "中文"),
    "online": ("在线", "Online"),
    "online_backlog": ("在线，补传{n}条", "Online, sending {n}"),
    "offline_short": ("离线", "Offline"),
    "offline": ("离线，照常工作", "Offline, works on"),
    "offline_backlog": ("离线，照常工作，待传{n}条", "Offline, works on, {n} to send"),
    "nobody": ("无人值班", "Nobody on duty"),
    "ask": ("您还在吗？", "Are you still there?"),
    "here": ("我在", "I am here"),
    "clock_unsynced": ("时钟未校准，请勿依赖时间", "The clock is not set: don't rely on it"),
    "missing": ("缺{item}", "{item} missing"),
    "all_five": ("五项齐全", "All five are here"),
    "last": ("上一位", "Last"),
    "lost": ("屏幕与程序断开，正在重连", "Screen has lost the program, reconnecting"),
    "ended": ("别的屏幕已接管", "Another screen took over"),
    "reconnect": ("重连", "Reconnect"),
    "seconds": ("{n}秒", "{n} s"),
    "next": ("另{n}项", "{n} more"),
    "admit": ("放行", "Let in"),
    "turn_away": ("不放行", "Turn away"),
    "retake": ("复测", "Retake"),
    "cancel": ("取消", "Quit"),
    "ok": ("确定", "OK"),
    "erase": ("删", "Del"),
    "figure": ("读数", "Figure"),
    "back": ("返回", "Back"),
    "sign_off": ("签退", "Sign off"),
    "sure": ("确定？", "Sure?"),
    "correct": ("更正", "Cancel"),
    "corrected": ("已更正", "Cancelled"),
    "previous": ("上一页", "Previous page"),
    "following": ("下一页", "Next page"),
    "inside": ("在内{n}人", "{n} inside"),
    "on_duty": ("{name} {since}上岗，{hours}小时", "{name} since {since}, {hours} h"),
    "no_picture": ("没有画面", "No picture"),
    "no_entries": ("还没有记录", "No entries yet"),
    **WORK,
}

GROUPS: dict[str, dict[str, Pair]] = {
    "sentences": SENTENCES, "reasons": REASONS, "todos": TODOS, "errors": ERRORS, "items": ITEM_NAMES,
    "kinds": KINDS, "outcomes": OUTCOMES, "phases": PHASES, "directions": DIRECTIONS, "sites": SITES, "ui": UI,
    **WORK_GROUPS,
}  # fmt: skip

Texts = dict[str, dict[str, dict[str, str]]]

TEXTS: Texts = {
    language: {group: {key: pair[place] for key, pair in pairs.items()} for group, pairs in GROUPS.items()}
    for place, language in enumerate(LANGUAGES)
}
"""Language → group → key → words; delivered to the page as JSON."""

RESIDENT_TEXTS: Texts = {
    language: {group: words[group] for group in ("sentences", "directions")} for language, words in TEXTS.items()
}
"""All that the resident's own display can say."""
