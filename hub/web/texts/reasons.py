"""Why, in a supervisor's words: every reason a station or the hub gives, Chinese and English side by side."""

Pair = tuple[str, str]

EVIDENCE: dict[str, Pair] = {
    "no_evidence": ("从未有过依据", "never any evidence"),
    "expired": ("已过期", "expired"),
    "declared_absent": ("岗上申报没有", "declared absent"),
    "station_silent": ("岗亭终端没有消息", "station silent"),
    "never_heard": ("岗亭终端从未有消息", "station never heard"),
    "inspection": ("督查发现没有", "found missing by an inspection"),
    "signed_off": ("志愿者已签退", "volunteer signed off"),
    "handed_over": ("已交班", "handed over"),
    "nobody_signed_in": ("无人签到", "nobody signed in"),
    "not_confirmed": ("久未确认在岗", "duty not confirmed"),
    "camera_missing": ("摄像头没有画面", "camera gives no picture"),
    "camera_dark": ("摄像头太暗", "camera too dark"),
    "camera_frozen": ("摄像头画面不动", "camera frozen"),
    "scanner_failed": ("扫码自检未通过", "scanner failed its self-test"),
    "directory_stale": ("名录超过24小时", "directory older than 24 h"),
    "no_directory": ("还没有名录", "no directory yet"),
    "thermometer_silent": ("测温仪无应答", "thermometer silent"),
    "calibration_overdue": ("测温仪校准过期", "calibration overdue"),
    "typing_stopped": ("久未输入读数", "no figures typed"),
    "journal_locked": ("记录被占用", "journal locked"),
    "journal_read_only": ("记录盘只读", "disk is read-only"),
    "journal_failed": ("记录写不进去", "journal can't be written"),
    "journal_corrupt": ("记录曾损坏,已另起一本", "journal was damaged, a new one begun"),
    "disk_full": ("记录盘已满", "disk full"),
    "disk_low": ("记录盘将满", "disk nearly full"),
}

PASS: dict[str, Pair] = {
    "not_a_pass": ("不是出入证", "not a pass"),
    "damaged": ("码已损坏", "code damaged"),
    "unknown_key": ("签发方不明", "issuer not known"),
    "forged": ("签名不符,疑为伪造", "signature wrong, perhaps forged"),
    "bad_claims": ("出入证内容有误", "contents of the pass are wrong"),
    "not_yet_valid": ("尚未生效", "not valid yet"),
    "other_compound": ("不是本小区的证", "pass of another compound"),
    "revoked": ("出入证已吊销", "pass revoked"),
    "wrong_kind": ("证件种类不符", "wrong kind of pass"),
}

DECISION: dict[str, Pair] = {
    "ok": ("正常", "in order"),
    "isolating": ("居家隔离中", "isolating at home"),
    "colour_refer": ("按颜色须由居委确认", "colour: committee to confirm"),
    "colour_call": ("按颜色须立即联系居委", "colour: committee to be called"),
    "homecoming": ("返沪报到", "homecoming"),
    "passback": ("同一张证刚进过", "same pass went in just before"),
    "stale_directory": ("名录太旧,人工核对", "directory old, checked by eye"),
    "stale_at_admission": ("放行时名录太旧", "directory old at admission"),
    "no_name": ("名录里没有此人", "not on the list"),
    "not_surveyed": ("尚未排摸登记", "not surveyed yet"),
    "ask_symptoms": ("已请志愿者问症状", "volunteer to ask for symptoms"),
    "several": ("同时出示多张证", "several passes at once"),
    "cancelled": ("志愿者取消", "cancelled by the volunteer"),
    "abandoned": ("人已离开", "walked away"),
    "timed_out": ("超时", "timed out"),
    "confirmed_by_volunteer": ("志愿者确认放行", "let in by the volunteer"),
    "refused_by_volunteer": ("志愿者不放行", "turned away by the volunteer"),
    "emergency": ("紧急放行", "emergency"),
    "unchecked": ("未检进入", "walked through"),
    "demonstration": ("演示", "demonstration"),
}

TEMPERATURE: dict[str, Pair] = {
    "normal": ("体温正常", "temperature normal"),
    "fever": ("发热", "fever"),
    "low": ("体温偏低", "temperature low"),
    "no_target": ("没有对准额头", "no forehead in view"),
    "unknown": ("读数不明", "reading not known"),
    "unstable": ("读数不稳", "reading not steady"),
    "absurd": ("读数不可信", "reading can't be true"),
    "no_reading": ("没有读数", "no reading"),
    "not_measured": ("未测温", "not measured"),
    "ambient_out_of_range": ("气温超出测温范围", "air outside the sensor's range"),
    "typed": ("手持枪读数", "typed from a hand-held gun"),
    "no_answer": ("设备无应答", "device does not answer"),
    "bad_checksum": ("数据校验不符", "data damaged on the way"),
    "error_bit": ("设备报错", "device reports an error"),
    "out_of_range": ("读数超出范围", "reading out of range"),
    "stuck": ("读数不动", "reading does not move"),
    "warming_up": ("设备预热中", "device warming up"),
    "bad_setting": ("设备设置有误", "device set wrongly"),
}

REASONS: dict[str, Pair] = {**EVIDENCE, **PASS, **DECISION, **TEMPERATURE}
