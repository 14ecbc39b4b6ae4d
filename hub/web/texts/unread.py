"""Words of the page of what could not be read: key → (Chinese, English)."""

TEXTS = {
    "unread": ("未读消息", "Unread"),
    "unread.lead": (
        "岗亭发来、但这个版本读不懂的消息。原文都留着;升级之后可以再读一遍。其他消息不受影响。",
        "What stations sent and this version can't read. It is kept as it came: read it again after an update. Nothing waits.",
    ),
    "unread.counts": ("记录 {events} 条、消息 {messages} 条", "{events} events, {messages} messages"),
    "unread.none": ("没有。岗亭发来的都读懂了。", "None: all that stations sent was read."),
    "unread.sort.event": ("记录", "event"),
    "unread.sort.message": ("消息", "message"),
    "unread.station.unknown": ("不认识的终端", "unknown station"),
    "unread.bytes": ("{n} 字节", "{n} bytes"),
    "unread.again": ("再读一遍", "Read again"),
    "unread.again.all": ("全部再读一遍", "Read all again"),
    "unread.moment": ("只说明当时的情况,不再读", "told of its own moment: not read again"),
    "unread.show": ("看原文", "As it came"),
    "unread.aside": ("搁置", "Set aside"),
    "unread.reason": ("为什么搁置", "Why it is set aside"),
    "unread.reason.missing": ("请写明为什么搁置。", "Say why it is set aside."),
    "unread.done": ("读懂 {n} 条,仍读不懂 {failed} 条。", "{n} read, {failed} still can't be."),
    "unread.more": ("只显示开头。", "Only the beginning is shown."),
    "unread.back": ("返回未读消息", "Back to unread"),
    "unread.noted": ("查看会留下记录。", "A look is noted."),
}
