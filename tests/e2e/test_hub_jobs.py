"""Each job at the hub's pages from sign-in to done, for each role, and every page there is: in a real Chromium, in Chinese."""

import re
import shutil
from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import base45
import msgspec
import pytest
import sqlalchemy as sa
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect

from contract.passes import PREFIX
from hub.rights import Role
from hub.store import open_store, running, supervision, tables
from tests.e2e.conftest import street
from tests.e2e.district import COMPOUND, NAMES, PASSWORD, SILENT, WORST, Hub, World, make_world

DESK, PHONE = {"width": 1280, "height": 800}, {"width": 390, "height": 844}
AXE = "axe.run({resultTypes: ['violations']}).then(found => found.violations)"
GRAVE = ("serious", "critical")
PATIENCE = 15_000
"""Milliseconds."""
SMALLEST = 44
"""CSS pixels that a thumb needs of what is touched."""
WRONG = """smallest => {
  const root = document.documentElement, wrong = [];
  if (root.scrollWidth > innerWidth) wrong.push(`scrolls sideways: ${root.scrollWidth}`);
  const said = e => `${e.tagName}.${e.className} ${(e.textContent || e.value || '').trim().slice(0, 50)}`;
  const up = (e, test) => { for (; e; e = e.parentElement) if (test(e)) return true; return false; };
  const hidden = e => !e.checkVisibility({opacityProperty: true, visibilityProperty: true}) || e.matches('.skip')
    || up(e, one => getComputedStyle(one).clipPath !== 'none' || one.matches('.visually-hidden'));
  const scrolls = e => up(e, one => /auto|scroll/.test(getComputedStyle(one).overflowX));
  for (const e of document.body.querySelectorAll('*')) {
    if (hidden(e) || e.closest('svg, select')) continue;
    const style = getComputedStyle(e), box = e.getBoundingClientRect();
    const text = [...e.childNodes].some(one => one.nodeType === 3 && one.data.trim());
    const clips = text && /hidden|clip/.test(style.overflowX), clipsBelow = text && /hidden|clip/.test(style.overflowY);
    const outside = text && box.width && (box.left < -1 || box.right > innerWidth + 1) && !scrolls(e);
    if (outside) wrong.push(`hangs over the side: ${said(e)}`);
    if (clips && e.scrollWidth > e.clientWidth + 1) wrong.push(`cut off: ${said(e)}`);
    if (clipsBelow && e.scrollHeight > e.clientHeight + 3) wrong.push(`cut off below: ${said(e)}`);
    if (e.matches('input[type=text], input[type=search], input:not([type])') && e.scrollWidth > e.clientWidth + 1)
      wrong.push(`what is typed is cut off: ${said(e)}`);
  }
  const controls = 'button, nav a, summary, select, textarea, form a, '
    + 'input:not([type=hidden], [type=radio], [type=checkbox]), label:has(input[type=radio], input[type=checkbox])';
  for (const e of smallest ? document.querySelectorAll(controls) : []) {
    const box = e.getBoundingClientRect();
    if (!hidden(e) && box.height && box.height < smallest - 0.5) wrong.push(`${box.height.toFixed(0)} px high: ${said(e)}`);
  }
  return wrong;
}"""
"""What hangs over the side, is cut off, or (`smallest` > 0) is too small for a thumb."""
ENGLISH = """() => { const found = [], walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (e.closest('[lang=en], code, script, noscript, svg, [hidden]')) continue;
    found.push(...walk.currentNode.data.match(/[A-Za-z]{2,}[A-Za-z ]*/g) ?? []);
  }
  for (const e of document.querySelectorAll('[placeholder], [aria-label], [title], [alt]'))
    if (!e.closest('[lang=en]')) for (const name of ['placeholder', 'aria-label', 'title', 'alt'])
      found.push(...(e.getAttribute(name) ?? '').match(/[A-Za-z]{2,}[A-Za-z ]*/g) ?? []);
  return [...new Set(found.map(one => one.trim()))]; }"""
"""Words of Latin letters on a page in Chinese."""


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> World:
    """The sub-district, made once; nobody works in it."""
    world = make_world(tmp_path_factory.mktemp("district"))
    world.engine.dispose()
    return world


@pytest.fixture
def world(made: World, tmp_path: Path) -> Iterator[World]:
    """A copy of it for each test."""
    shutil.copytree(made.located.folder, tmp_path, dirs_exist_ok=True)
    engine = open_store(f"sqlite:///{tmp_path}/hub.db")
    yield replace(made, engine=engine, located=msgspec.structs.replace(made.located, folder=tmp_path))
    engine.dispose()


@pytest.fixture
def hub(world: World) -> Iterator[Hub]:
    hub = Hub(world)
    yield hub
    hub.stop()


class Desk:
    """Somebody's page, and what its console complained of."""

    def __init__(self, page: Page, world: World, pictures: Path) -> None:
        self.page, self._world, self.pictures = page, world, pictures
        self.complaints: list[str] = []
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.complaints.append(f"{message.text} {message.location.get('url', '')}")

    def part(self, name: str, line: str = "栏目") -> None:
        """Goes to one of the parts by the line below the head, or by the line below that."""
        self.page.get_by_role("navigation", name=line).get_by_role("link", name=name, exact=True).click()

    def setting(self, name: str) -> None:
        """Goes to one of the parts behind the word for settings."""
        self.part("设置")
        self.part(name, "设置")

    def link(self, name: str | re.Pattern[str]) -> None:
        """Touches the first link of this name."""
        self.page.locator("main").get_by_role("link", name=name).first.click()

    def press(self, name: str | re.Pattern[str]) -> None:
        """Touches the one button of this name."""
        self.page.locator("main").get_by_role("button", name=name, exact=True).click()

    def fill(self, **typed: str) -> None:
        """Types into the fields of these names."""
        for name, value in typed.items():
            self.page.locator(f"main [name='{name}']:visible").fill(value)

    def choose(self, **chosen: str) -> None:
        """Chooses, in the lists of these names, what is so labelled."""
        for name, label in chosen.items():
            self.page.locator(f"main select[name='{name}']").select_option(label=label)

    def tick(self, label: str, within: str = "main") -> None:
        """Touches the word beside a box or a radio."""
        self.page.locator(within).locator("label", has_text=re.compile(f"^\\s*{re.escape(label)}")).click()

    def shows(self, *said: str | re.Pattern[str], within: str = "main") -> None:
        """Waits until the page says so."""
        for words in said:
            expect(self.page.locator(within).first).to_contain_text(words)

    def local(self, **ahead: float) -> str:
        """A time ahead of now, as a field for a time takes it."""
        return f"{(self._world.now + timedelta(**ahead)).astimezone(self._world.located.zone):%Y-%m-%dT%H:%M}"

    def wrong(self, name: str, *, axe: bool = True) -> list[str]:
        """What is wrong with what is shown; a picture of it is kept."""
        width = self.page.viewport_size["width"] if self.page.viewport_size else 0
        self.page.screenshot(path=self.pictures / f"hub-{name}-{width}.png", full_page=True)
        found: list[str] = self.page.evaluate(WRONG, SMALLEST if width == PHONE["width"] else 0)
        if axe:
            grave = [one for one in self.page.evaluate(AXE) if one["impact"] in GRAVE]
            found += [f"axe {one['id']}: {[node['html'][:160] for node in one['nodes'][:3]]}" for one in grave]
        found += self.complaints
        self.complaints.clear()
        return found

    def check(self, name: str) -> None:
        """Nothing is cut off, hangs over the side or keeps anybody out."""
        assert (name, self.wrong(name)) == (name, [])


SignsIn = Callable[[Role, dict[str, int]], Desk]


@pytest.fixture
def signs_in(browser: Browser, hub: Hub, world: World, screenshots: Path) -> Iterator[SignsIn]:
    """Signs somebody in by typing name and password, in a browser context of their own."""
    contexts: list[BrowserContext] = []
    expect.set_options(timeout=PATIENCE)

    def signs_in(role: Role, size: dict[str, int]) -> Desk:
        zone = world.located.settings.timezone
        context = browser.new_context(viewport=size, locale="zh-CN", timezone_id=zone, accept_downloads=True)  # type: ignore[arg-type]
        contexts.append(context)
        context.add_init_script(path=AXE_FILE_PATH)
        page = context.new_page()
        page.set_default_timeout(PATIENCE)
        desk = Desk(page, world, screenshots)
        page.goto(hub.url)
        page.get_by_label("账号").fill(role.value)
        page.get_by_label("密码").fill(PASSWORD)
        page.get_by_role("button", name="登录").click()
        expect(page.get_by_role("button", name="退出")).to_be_visible()
        return desk

    yield signs_in
    expect.set_options(timeout=None)
    for context in contexts:
        context.close()


both = pytest.mark.parametrize("size", [DESK, PHONE], ids=["desk", "phone"])


# ---- the supervisor ----


@both
def test_ok__a_supervisor_has_the_worst_gate_put_right(signs_in: SignsIn, world: World, size: dict[str, int]) -> None:
    desk = signs_in(Role.SUPERVISOR, size)
    desk.shows(world.name(WORST) + " 缺测温", within="h1")
    desk.page.locator(".row-link").first.click()
    desk.shows("测温仪无应答", within=".detail.is-missing")
    desk.link("整改")
    desk.page.locator(".mend", has_text="测温").get_by_role("link").first.click()
    desk.choose(owner=NAMES[Role.SUPERVISOR])
    desk.fill(due_at=desk.local(hours=5))
    desk.press("保存")
    desk.shows(NAMES[Role.SUPERVISOR], within=".mend-facts")
    desk.check("job-assigned")
    query = sa.select(supervision.rectifications.c.owner).where(supervision.rectifications.c.item == "temperature")
    assert world.scalar(query) == Role.SUPERVISOR.value

    desk.link("返回整改")
    desk.page.get_by_role("link", name="任务", exact=True).click()
    desk.link("派任务")
    desk.fill(title="把备用测温仪送到正门", due_at=desk.local(hours=2), note="街道库房,二楼")
    desk.choose(compound=world.compound(COMPOUND))
    desk.choose(owner=NAMES[Role.LIAISON])
    desk.press("派出")
    desk.shows("把备用测温仪送到正门", within=".tasks")
    desk.check("job-task")
    assert (
        world.scalar(sa.select(supervision.tasks.c.owner).where(supervision.tasks.c.title == "把备用测温仪送到正门")) == "liaison"
    )


@both
def test_ok__a_supervisor_sees_to_alerts_and_asks_a_station(signs_in: SignsIn, world: World, size: dict[str, int]) -> None:
    desk, alerts = signs_in(Role.SUPERVISOR, size), supervision.alerts
    desk.part("警报")
    desk.press(f"确认处理:求助 {world.name(WORST)}")
    expect(desk.page.locator(".alert-line", has_text="求助")).to_have_count(0)
    assert world.scalar(sa.select(alerts.c.acknowledged_by).where(alerts.c.kind == "help")) == "supervisor"
    desk.link(f"静音:门岗失联 {world.name(SILENT)}")
    desk.tick("4小时")
    desk.fill(note="检修电路")
    desk.press("开始静音")
    desk.shows("检修电路", within=".silences")
    desk.check("job-silenced")
    assert world.scalar(sa.select(supervision.silences.c.gate).where(supervision.silences.c.note == "检修电路")) == SILENT

    desk.part("门岗")
    desk.page.locator(".row-link").first.click()
    desk.link("岗亭终端")
    desk.press("自检")
    desk.shows("自检", NAMES[Role.SUPERVISOR], within=".orders-list")
    desk.check("job-asked")
    assert world.scalar(sa.select(supervision.orders.c.what).where(supervision.orders.c.station == f"{WORST}-1")) == "selftest"


def test_ok__a_supervisor_takes_the_days_report_along(signs_in: SignsIn, world: World) -> None:
    desk = signs_in(Role.SUPERVISOR, DESK)
    desk.part("日报")
    desk.link("昨天")
    desk.shows("“挑毛病”日报", within="#report-title")
    for name, begin in (("下载 PDF", b"%PDF-"), ("下载 Excel", b"PK")):
        with desk.page.expect_download() as coming:
            desk.link(name)
        assert coming.value.path().read_bytes().startswith(begin)
    desk.check("job-report")


@both
def test_ok__a_supervisor_puts_up_a_notice_and_changes_what_the_gates_do(
    signs_in: SignsIn, world: World, size: dict[str, int]
) -> None:
    desk = signs_in(Role.SUPERVISOR, size)
    desk.part("告示")
    desk.link("写告示")
    desk.fill(zh="明早七点起全员核酸,请带好出入证", ends=desk.local(days=1))
    desk.choose(place=world.compound(COMPOUND))
    desk.press("发布")
    desk.shows("明早七点起全员核酸", "0/1 台岗亭已收到")
    desk.check("job-notice")
    assert world.scalar(sa.select(running.notices.c.place).where(running.notices.c.zh.like("明早%"))) == COMPOUND

    desk.setting("颜色分类")
    desk.link(re.compile("修改.*黄"))
    desk.tick("请稍候")
    desk.press("保存")
    expect(desk.page.locator(".ask")).to_be_visible()
    desk.complaints.clear()  # that the form was answered 400: it asks first
    desk.check("job-colour-asked")
    assert world.scalar(sa.select(supervision.colours.c.gate).where(supervision.colours.c.id == "yellow")) in (None, "admit")
    desk.page.locator("[name=confirmed]").check()
    desk.press("保存")
    desk.shows("请稍候", within=".colour:has-text('黄')")
    desk.check("job-colour")
    assert world.scalar(sa.select(supervision.colours.c.gate).where(supervision.colours.c.id == "yellow")) == "refer"

    desk.setting("门岗规则")
    desk.fill(outing_days="2", outings="1")
    desk.press("设置出门次数")
    desk.shows(re.compile(r"3 个小区、\d+ 位居民出门比原来严"), within=".ask")
    desk.complaints.clear()
    desk.check("job-policy-asked")
    assert world.scalar(sa.select(tables.policies.c.outings)) is None
    desk.page.locator("[name=confirmed]").check()
    desk.press("确认修改")
    desk.shows("每户每 2 天最多 1 人次", within="#policy-quota")
    assert world.scalar(sa.select(tables.policies.c.outings).where(tables.policies.c.scope == "")) == 1


# ---- the inspector ----


def looks(desk: Desk, item: str, word: str) -> None:
    """Says of one thing what was seen of it."""
    desk.page.locator(".look", has_text=item).locator("label", has_text=re.compile(f"^{word}$")).click()


def test_ok__an_inspector_whose_connection_is_lost_in_the_middle(signs_in: SignsIn, world: World) -> None:
    """Items and conduct are marked with a note and a photo; the phone is offline and reloaded; nothing is lost."""
    desk, gate = signs_in(Role.INSPECTOR, PHONE), world.name("c002g2")
    desk.part("去督查")
    desk.link(gate)
    desk.tick("错峰查")
    for item in ("志愿者", "登记桌", "登记本"):
        looks(desk, item, "有")
    desk.page.context.set_offline(True)
    looks(desk, "测温", "缺")
    desk.fill(note_temperature="额温枪没电")
    looks(desk, "履职情况", "不好")
    desk.fill(note="两人坐着看手机")
    desk.page.locator("#photos").set_input_files({"name": "desk.jpg", "mimeType": "image/jpeg", "buffer": street()})
    expect(desk.page.locator("#shots img")).to_have_count(1)
    desk.shows("已看 5/6", "草稿已存在这台手机里", within=".send-said")
    desk.check("job-offline")

    desk.page.context.set_offline(False)
    desk.page.reload()
    desk.shows("已看 5/6", within=".send-said")
    expect(desk.page.locator("[name=note_temperature]")).to_have_value("额温枪没电")
    expect(desk.page.locator("#shots img")).to_have_count(1)
    desk.press("发送")
    desk.shows("额温枪没电", "两人坐着看手机", "错峰查")
    desk.check("job-inspected")
    sent = supervision.inspections
    assert world.scalar(sa.select(sent.c.conduct).where(sent.c.gate == "c002g2", sent.c.method == "off_peak")) is False
    desk.link("看这个门岗")
    desk.shows("缺", "督查发现没有", within=".detail.is-missing")
    desk.check("job-inspected-gate")


def test_ok__an_inspector_looks_again_and_sends_without_a_network(signs_in: SignsIn, world: World) -> None:
    """What is sent offline waits on the phone and goes out by itself."""
    desk, mended = signs_in(Role.INSPECTOR, PHONE), supervision.rectifications
    desk.part("整改")
    desk.page.locator(".mend", has_text="登记桌").get_by_role("link").first.click()
    desk.link("到现场回头查")
    looks(desk, "登记桌", "有")
    desk.page.context.set_offline(True)
    desk.press("发送")
    expect(desk.page.locator("#queued")).to_be_visible()
    desk.complaints.clear()  # that the network is away
    desk.check("job-queued")
    desk.page.context.set_offline(False)
    desk.page.evaluate("dispatchEvent(new Event('online'))")
    desk.page.get_by_role("link", name=re.compile("已发送")).click()
    desk.shows("回头查")
    assert world.scalar(sa.select(mended.c.state).where(mended.c.id == world.ids["rectification"])) == "closed"


# ---- the liaison ----


@both
def test_ok__a_liaison_answers_for_one_compound(signs_in: SignsIn, world: World, size: dict[str, int]) -> None:
    desk, mine = signs_in(Role.LIAISON, size), world.compound(COMPOUND)
    expect(desk.page.locator(".row-gate")).to_have_text([re.compile(mine)])
    response = desk.page.request.get(desk.page.url.rstrip("/") + f"/gate/{SILENT}")
    assert response.status == 404
    desk.part("整改")
    expect(desk.page.locator(".mend", has_not_text=mine)).to_have_count(0)
    desk.page.locator(".mend", has_text="测温").get_by_role("link").first.click()
    desk.page.locator("[name=note]").fill("已换备用测温仪,正在校准")
    desk.page.locator("[name=photo]").set_input_files({"name": "gun.jpg", "mimeType": "image/jpeg", "buffer": street()})
    desk.press("提交回复")
    desk.shows("已换备用测温仪", within=".story")
    desk.check("job-answered")
    mended = supervision.rectifications
    assert world.scalar(sa.select(mended.c.state).where(mended.c.item == "temperature")) == "answered"

    desk.link("返回整改")
    desk.page.get_by_role("link", name="任务", exact=True).click()
    desk.press("办好了: 给正门换测温仪")
    desk.shows("没有符合条件的任务")
    assert world.scalar(sa.select(supervision.tasks.c.done_by)) == "liaison"
    desk.part("警报")
    desk.press(f"确认处理:发热 {world.name(WORST)}")
    expect(desk.page.locator(".alert-line", has_text="发热")).to_have_count(0)

    desk.part("班次")
    desk.link(world.name(WORST))
    last = desk.page.locator("select[name^=badge-]").last
    shift, badge = (last.get_attribute("name") or "").removeprefix("badge-"), last.input_value()
    for chosen in ("", badge):
        last.select_option(chosen)
        desk.press("保存排班")
        desk.shows(re.compile("已保存|已改"), within="[role=status]")
        expect(last).to_have_value(chosen)
        assert (world.scalar(sa.select(supervision.rota.c.badge).where(supervision.rota.c.id == shift)) or "") == chosen
    desk.check("job-rota")

    desk.part("预约")
    desk.link("新预约")
    desk.tick("搬家")
    desk.fill(plate="沪B·8K123", crew="3", dwelling="7号楼603")
    desk.press("登记预约")
    desk.shows("沪B8K123", mine, "现在可进", "0/1 台岗亭已收到")
    desk.check("job-booked")
    desk.tick("确认取消")
    desk.press("取消这个预约")
    desk.shows("已取消", "还不知道取消的岗亭")
    assert world.scalar(sa.select(tables.bookings.c.cancelled_by).where(tables.bookings.c.plate == "沪B8K123")) == "liaison"


# ---- the registrar ----


def test_ok__a_registrar_issues_a_pass_and_revokes_it(signs_in: SignsIn, world: World) -> None:
    desk, where = signs_in(Role.REGISTRAR, DESK), world.compound(COMPOUND)
    desk.part("出入证")
    desk.link("签发一张")
    desk.choose(kind="居民出入证", compound=where)
    desk.fill(name="赵小明", dwelling="8号楼301")
    desk.press("签发")
    desk.shows("赵*明", "8号楼301", where)
    desk.check("job-issued")
    with desk.page.expect_popup() as opened:
        desk.link("打开手机页面")
    opened.value.set_viewport_size(PHONE)  # type: ignore[arg-type]
    phone = Desk(opened.value, world, desk.pictures)
    phone.shows("赵*明")
    phone.check("job-pass-on-a-phone")

    desk.page.get_by_text("吊销这张证").click()
    desk.press("确认吊销")
    desk.shows("已吊销")
    opened.value.reload()
    phone.shows("此证已停用")
    phone.check("job-pass-revoked")
    assert world.scalar(sa.select(tables.passes.c.revoked_by).where(tables.passes.c.dwelling == "8号楼301")) == "registrar"


@both
def test_ok__a_registrar_takes_in_a_list(signs_in: SignsIn, world: World, size: dict[str, int]) -> None:
    """A row that is wrong is named and nothing is taken; the mended list is."""
    desk, where = signs_in(Role.REGISTRAR, size), world.compound(COMPOUND)
    desk.part("名册")
    desk.link(where)
    desk.link(re.compile("持证人"))
    desk.link("导入持证人")
    head = "小区,楼,室,姓名,类别\n"
    offer(desk, f"{head}{where},9号,101,钱一一,居民\n{where},9号,102,孙二二,外星人\n")
    desk.shows("有1处要改", "外星人")
    desk.shows("3", "类别", within=".preview tbody")
    desk.complaints.clear()
    desk.check("job-bad-row")
    held = sa.select(sa.func.count()).where(tables.passes.c.dwelling.like("9号%"))
    assert world.scalar(held) == 0

    desk.link("另选文件")
    offer(desk, f"{head}{where},9号,101,钱一一,居民\n{where},9号,102,孙二二,居民\n")
    desk.shows("新增2")
    desk.press("确认写入2项")
    desk.shows("已写入:新增2")
    assert world.scalar(held) == 2
    desk.check("job-imported")


def offer(desk: Desk, text: str) -> None:
    """Uploads a list and waits for its preview."""
    desk.page.locator("#file").set_input_files({"name": "list.csv", "mimeType": "text/csv", "buffer": text.encode()})
    desk.press("预览")


# ---- the guest ----


@both
def test_fail__a_guest_looks_and_may_do_nothing(signs_in: SignsIn, world: World, size: dict[str, int]) -> None:
    desk = signs_in(Role.GUEST, size)
    parts = desk.page.get_by_role("navigation", name="栏目").get_by_role("link").all_text_contents()
    assert parts == ["门岗", "大屏", "警报", "整改", "督查", "班次", "日报"]
    for name in parts:
        desk.part(name)
        assert (name, desk.page.locator("main form[method=post]").count()) == (name, 0)
        assert (name, desk.wrong(f"guest-{parts.index(name)}", axe=False)) == (name, [])
    token = desk.page.locator("header [name=csrf_token]").first.get_attribute("value") or ""
    alert = world.scalar(sa.select(supervision.alerts.c.id).where(supervision.alerts.c.kind == "help"))
    url = re.sub(r"(://[^/]+).*", r"\1", desk.page.url) + f"/alerts/{alert}/acknowledge"
    assert desk.page.request.post(url, form={"csrf_token": token}).status == 403
    desk.page.goto(url.replace("/acknowledge", ""))
    desk.complaints.clear()  # that there is no such page
    desk.check("no-such-page")
    desk.page.get_by_role("button", name="退出").click()
    expect(desk.page.get_by_label("密码")).to_be_visible()
    desk.check("sign-in")


# ---- the administrator ----


@both
def test_ok__an_administrator_adds_an_account_and_a_token(signs_in: SignsIn, world: World, size: dict[str, int]) -> None:
    desk = signs_in(Role.ADMIN, size)
    desk.setting("账号")
    desk.link("新增账号")
    desk.fill(id="he", name="何来访", until=desk.local(days=7)[:10])
    desk.tick("来访", within=".roles")
    desk.page.locator("summary", has_text=world.area(COMPOUND)).click()
    desk.tick(world.compound(COMPOUND))
    desk.press("新增并生成密码")
    desk.shows("何来访")
    expect(desk.page.locator(".once-password")).to_be_visible()
    desk.check("job-account")
    assert world.scalar(sa.select(supervision.scopes.c.place).where(supervision.scopes.c.account == "he")) == COMPOUND

    desk.setting("接口令牌")
    desk.fill(name="区大屏")
    desk.choose(account=f"{NAMES[Role.SUPERVISOR]} (supervisor)")
    desk.press("添加令牌")
    token = desk.page.locator("#fresh-token").inner_text()
    desk.check("job-token")
    answer = desk.page.request.get(
        desk.page.url.partition("/tokens")[0] + "/api/v1/status", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.status == 200

    desk.setting("账号")
    desk.link("审计记录")
    desk.shows("记录完整", "新增接口令牌", "新增账号", "何来访 he")
    desk.check("job-audit")


# ---- every page ----

NO_PAGES = frozenset({"static", "bootstrap.static", "pages.events", "pages.choose_language", "pages.health"})
FILES = frozenset(
    {"inspecting.photo", "passes.photo", "entries.photo", "rectifying.picture", "passes.prints.codes_sheet",
     "passes.prints.sheet", "exchange.export_entries", "exchange.export_holders", "exchange.export_inspections",
     "exchange.export_places", "exchange.export_rectifications", "exchange.registry.kit", "reports.file"}
)  # fmt: skip
ASKED = {
    "pages.overview": "?order=area", "inspecting.acting.show": "?kind=expired",
    "passes.prints.codes_sheet": f"?gate={WORST}", "passes.prints.sheet": "?id={pass}",
    "exchange.export_entries": f"?gate={WORST}&day={{day}}", "passes.prints.choose": f"?compound={COMPOUND}",
}  # fmt: skip
"""What is asked for beside the path."""
LATIN = frozenset(
    {"PDF", "XLSX", "CSV", "Excel", "PIN", "JPEG", "PNG", "MB", "UTF", "GB", "kiosk", "toml", "apprise", "wecombot", "mlx", "api",
     "openapi", "json", "hongmei", "east"}
)  # fmt: skip
"""What is written in Latin letters in Chinese too: files, devices, examples of an id."""
IDS = re.compile(r"[a-f]{1,8}|GPD|[A-F]{1,8}|admin|guest|inspector|liaison|registrar|supervisor|visitor|seed|today")
"""Letters of a pass's or a code's number; accounts; what the seeded station calls its events."""


def fillings(world: World) -> dict[str, Any]:
    """For the parameters of a path, something that there is; by endpoint where it differs from the usual."""
    ids = world.ids
    alert = sa.select(supervision.alerts.c.id).where(supervision.alerts.c.kind == "unreachable")
    picture = sa.select(supervision.pictures.c.id)
    with world.engine.connect() as conn:
        held = link_of(str(conn.scalar(sa.select(tables.passes.c.token).where(tables.passes.c.id == ids["pass"]))))
    return {
        "gate": WORST, "station": f"{WORST}-1", "day": f"{world.now.astimezone(world.located.zone):%Y-%m-%d}", "kind": "compound",
        "form": "csv", "name": "all", "sha": ids["sha"], "alarms.silence": {"id": world.scalar(alert)},
        "alarms.remove_channel": {"id": ids["channel"]}, "colouring": {"id": "red"}, "entries.entry": {"id": "visitor"},
        "inspecting.acting": {"id": ids["actor"]}, "inspecting.recheck": {"id": ids["rectification"]},
        "inspecting": {"id": ids["inspection"], "photo": world.scalar(picture.where(supervision.pictures.c.kind == "finding"))},
        "notices": {"id": ids["notice"]}, "bookings": {"id": ids["booking"]}, "passes": {"id": ids["pass"]},
        "people": {"id": "guest"},
        "rectifying": {"id": ids["answered"]}, "exchange.registry": {"id": COMPOUND}, "exchange.holding.listed": {"id": COMPOUND},
        "rectifying.picture": {"id": world.scalar(picture.where(supervision.pictures.c.kind == "answer"))},
        "exchange.registry.kit": {"id": f"{WORST}-1"}, "exchange.registry.change_station": {"id": f"{WORST}-1"},
        "exchange.holding": {"id": ids["pass"]}, "reports.file": {"kind": "xlsx"}, "passes.phone": {"held": held},
    }  # fmt: skip


def link_of(token: str) -> str:
    """The last part of the address of a pass's page."""
    return urlsafe_b64encode(base45.b45decode(token.removeprefix(PREFIX))).decode().rstrip("=")


def paths(hub: Hub, world: World) -> dict[str, str]:
    """Endpoint → path of all that is asked for by GET, other than by programs."""
    known, made = fillings(world), {}
    with hub.app.test_request_context():
        for rule in sorted(hub.app.url_map.iter_rules(), key=str):
            if "GET" not in (rule.methods or ()) or rule.endpoint in NO_PAGES or rule.endpoint.startswith("api."):
                continue
            parts = rule.endpoint.split(".")
            usual = [known[".".join(parts[:n])] for n in range(1, len(parts) + 1) if ".".join(parts[:n]) in known]
            filled = {name: value for one in (known, *usual) for name, value in one.items() if name in rule.arguments}
            asked = ASKED.get(rule.endpoint, "").format(**{**world.ids, "day": known["day"]})
            made[rule.endpoint] = hub.app.url_for(rule.endpoint, **filled) + asked
    return made


@pytest.mark.timeout(300)
def test_ok__every_page_there_is_fits_and_can_be_read_and_touched_by_all(signs_in: SignsIn, hub: Hub, world: World) -> None:
    """At both sizes, in Chinese; axe looks at the phone's, whose words and colours are the desk's."""
    desk, wrong = signs_in(Role.ADMIN, PHONE), []
    for endpoint, path in paths(hub, world).items():
        if endpoint in FILES:
            answer = desk.page.request.get(hub.url + path)
            found = [] if answer.ok and "html" not in answer.headers["content-type"] else [f"{answer.status}"]
        else:
            shown = desk.page.goto(hub.url + path)
            found = [] if shown is not None and shown.ok else ["not shown"]
            found += desk.wrong(endpoint) + [word for word in desk.page.evaluate(ENGLISH) if not is_known(word)]
            desk.page.set_viewport_size(DESK)  # type: ignore[arg-type]
            found += [f"at the desk: {one}" for one in desk.wrong(endpoint, axe=False)]
            desk.page.set_viewport_size(PHONE)  # type: ignore[arg-type]
        wrong += [f"{endpoint}: {one}" for one in found]
    assert not wrong, "\n".join(wrong)


def is_known(word: str) -> bool:
    """Whether a word of Latin letters belongs on a page in Chinese."""
    return word in LATIN or IDS.fullmatch(word) is not None
