"""Why, in the volunteer's words: every reason key with its Chinese and English, short enough for one line of big type."""

Pair = tuple[str, str]

PASS: dict[str, Pair] = {
    "not_a_pass": ("不是出入证", "Not a pass"),
    "damaged": ("码已损坏", "Code is damaged"),
    "unknown_key": ("签发方不明", "Unknown issuer"),
    "forged": ("签名不符，疑为伪造", "Signature is wrong: forged?"),
    "bad_claims": ("出入证内容有误", "Pass is not understood"),
    "expired": ("已过期", "Expired"),
    "not_yet_valid": ("尚未生效", "Not valid yet"),
    "other_compound": ("不是本小区的证", "Pass of another compound"),
    "revoked": ("出入证已吊销", "Pass is revoked"),
    "wrong_kind": ("此类证件这里不能用", "This kind is not used here"),
}

RULES: dict[str, Pair] = {
    "isolating": ("居家隔离中", "Isolating"),
    "colour_refer": ("按颜色须请居委确认", "Colour: ask the committee"),
    "colour_call": ("按颜色须立即联系居委", "Colour: call the committee"),
    "homecoming": ("返沪报到，请居委来接", "Homecoming: committee comes"),
    "passback": ("同一张证刚进过", "Went in just now"),
    "stale_directory": ("名单太旧，请人工核对", "List is old: check by eye"),
    "stale_at_admission": ("放行时名单太旧", "List was old at admission"),
    "no_name": ("名单里没有此人", "Not on the list"),
    "not_surveyed": ("尚未登记，请先登记", "Not surveyed: register first"),
    "ask_symptoms": ("请问有无症状", "Ask for symptoms"),
    "several": ("几张证同时出现", "Several passes in view"),
    "cancelled": ("已取消", "Cancelled"),
    "abandoned": ("人已离开", "Walked away"),
    "timed_out": ("超时", "Timed out"),
    "confirmed_by_volunteer": ("志愿者确认放行", "Volunteer let in"),
    "refused_by_volunteer": ("志愿者不放行", "Volunteer turned away"),
    "emergency": ("紧急放行", "Emergency"),
    "unchecked": ("未检进入", "Walked through"),
    "demonstration": ("演示", "Demonstration"),
}

TEMPERATURE: dict[str, Pair] = {
    "normal": ("体温正常", "Normal temperature"),
    "fever": ("发热", "Fever"),
    "low": ("偏低", "Low"),
    "no_target": ("没对准额头", "No forehead in view"),
    "unknown": ("读数不明", "Reading unknown"),
    "unstable": ("读数不稳", "Reading unsteady"),
    "absurd": ("读数不可信", "Reading can't be true"),
    "no_reading": ("没有读数", "No reading"),
    "not_measured": ("未测温", "Not measured"),
    "ambient_out_of_range": ("气温超出测温范围", "Air out of range"),
    "typed": ("手持枪读数", "Typed figure"),
    "no_answer": ("设备无应答", "Device does not answer"),
    "bad_checksum": ("数据校验不符", "Data came damaged"),
    "error_bit": ("设备报错", "Device reports an error"),
    "out_of_range": ("读数超出范围", "Reading out of range"),
    "stuck": ("读数不动", "Reading does not move"),
    "warming_up": ("设备预热中", "Warming up"),
    "bad_setting": ("设备设置有误", "Device is set wrongly"),
}

ITEMS: dict[str, Pair] = {
    "no_evidence": ("尚未确认", "Not confirmed yet"),
    "declared_absent": ("已报缺", "Declared missing"),
    "signed_off": ("已签退", "Signed off"),
    "handed_over": ("已交班", "Handed over"),
    "nobody_signed_in": ("无人签到", "Nobody signed in"),
    "not_confirmed": ("久未确认在岗", "Duty not confirmed"),
    "camera_missing": ("摄像头没有画面", "Camera gives no picture"),
    "camera_dark": ("摄像头太暗", "Camera too dark"),
    "camera_frozen": ("摄像头画面不动", "Camera is frozen"),
    "scanner_failed": ("扫码自检未通过", "Scanner failed its test"),
    "directory_stale": ("名单超过24小时", "List older than 24 h"),
    "no_directory": ("还没有名单", "No list yet"),
    "thermometer_silent": ("测温仪无应答", "Thermometer silent"),
    "calibration_overdue": ("测温仪校准已过期", "Calibration overdue"),
    "typing_stopped": ("久未输入读数", "No figures typed"),
    "journal_locked": ("记录被占用", "Journal is locked"),
    "journal_read_only": ("记录盘只读", "Disk is read-only"),
    "journal_failed": ("记录写不进去", "Journal can't be written"),
    "journal_corrupt": ("记录文件损坏", "Journal is damaged"),
    "disk_full": ("记录盘已满", "Disk is full"),
    "disk_low": ("记录盘将满", "Disk is nearly full"),
    "inspection": ("督查发现缺失", "Found missing by inspection"),
}

REASONS: dict[str, Pair] = {**PASS, **RULES, **TEMPERATURE, **ITEMS}
