"""What people of the seeded sub-district write: notes of inspections, answers, tasks, notices."""

from contract.five import Item

BAD = {
    Item.VOLUNTEER: ("岗上无人,等了5分钟没人来", "志愿者去吃饭了,没人替", "门卫代站,没有志愿者"),
    Item.DESK: ("登记桌没摆出来", "桌子搬到门房里面去了,外面看不到", "下雨收了桌子,雨停了没摆回来"),
    Item.REGISTER: ("桌上没有登记本", "登记本最后一笔是昨天的", "登记本写满了,没有换新的"),
    Item.PASSES: ("没有看证就放行", "扫码口被雨伞挡住,没人管", "三个人跟着一个人的证进去"),
    Item.TEMPERATURE: ("测温枪没电", "没有测温,挥手就放进去了", "测温仪对着天,读数不对"),
}  # fmt: skip
CONDUCT = ("岗上玩手机", "外来人员没有问去哪一户", "快递员直接进去,没有登记", "坐着不起来,让居民自己测", "口罩戴在下巴上")
"""What was bad in how people at the gate behaved."""
GOOD = ("下雨,志愿者在岗,态度好", "外来人员问得仔细,电话核实到户", "逐车开后备箱,司机乘客都测温", "给老人搬了椅子,排队有间隔",
        "交接班清楚,登记本字迹工整")  # fmt: skip
OUTPLAYED, HELD = "没有看证就让进了", "看出证件不对,请到一旁说明,态度好"
MENDED = ("现场看过,已到位", "已整改,人员在岗", "已换新,使用正常")
STILL = ("再去看还是没有", "只摆了几分钟,又收起来了", "换了人,问题照旧")
ANSWERS = {
    Item.VOLUNTEER.value: ("已安排楼组长顶岗", "志愿者已回岗,排班已调整", "已请物业保安临时补位"),
    Item.DESK.value: ("登记桌已摆出", "搭了雨棚,桌子已搬回原位"),
    Item.REGISTER.value: ("已领新登记本", "已补登,专人保管"),
    Item.PASSES.value: ("已清洁镜头,扫码正常", "已向当班志愿者重申逐人验证"),
    Item.TEMPERATURE.value: ("已换电池,测温正常", "已换备用测温枪"),
    "conduct": ("已批评教育,换岗", "已开班前会提醒", "已与志愿者谈话"),
}  # fmt: skip
TASKS = (
    ("给门岗换测温仪电池", "街道库房有备件"), ("雨棚加固", "联系物业"), ("补齐登记本和笔", "每岗两本"),
    ("更新出入口告示", "按新样张"), ("走访未办证家庭", "楼组长陪同"), ("排下周志愿者班表", "注意轮休"),
    ("清点防护用品", "口罩、手套、消毒液"),
    ("侧门加装门锁", "开放时段外上锁"), ("给志愿者培训扫码机", "半小时"), ("核对返沪人员名单", "与派出所对一遍"),
)  # fmt: skip
NOTICES = {
    "water": ("今晚八点停水,请提前储水", "No water from 8 pm: please store some"),
    "wind": ("大风降温,门岗请备热水", "Cold and windy: hot water at the gates, please"),
    "masks": ("进出请戴好口罩,逐人测温", "Wear a mask; everybody is measured"),
    "parcels": ("快递请放门口货架,不进小区", "Parcels go to the shelf at the gate"),
    "wrong": ("本周六免费体检", "Free health check this Saturday"),
    "survey": ("后天起换发新版出入证", "New passes from the day after tomorrow"),
}  # fmt: skip
