"""The page of the demonstration: a hand in each of the three worlds."""

from collections.abc import Callable
from typing import Any

from flask import Flask, abort, jsonify, render_template, request
from flask.typing import ResponseReturnValue

from hub.demo.post import Post

PASSES = (
    ("good", "有效 good"), ("paper", "有效(纸) on paper"), ("expired", "过期 expired"), ("forged", "伪造 forged"),
    ("revoked", "已吊销 revoked"), ("other", "别的小区 other compound"), ("stray", "普通二维码 any QR"),
    ("badge", "工作证 badge"), ("two", "两个码 two at once"),
)  # fmt: skip

PHASES = {
    "waiting": "等候 waiting", "several": "两个码 two codes", "measuring": "测温 measuring", "typing": "输入体温 typing",
    "outcome": "结果 outcome", "pin": "输入密码 PIN", "checklist": "查岗 checklist",
}  # fmt: skip


def create_page(posts: dict[str, Post], overview: str) -> Flask:
    """The demonstration's Flask application, served on loopback."""
    app = Flask(__name__, template_folder="templates", static_folder="static")

    @app.get("/")
    def index() -> str:
        return render_template("demo.html", stations=posts.values(), passes=PASSES, overview=overview)

    @app.get("/state")
    def state() -> ResponseReturnValue:
        return jsonify({name: describe(post) for name, post in posts.items()})

    @app.post("/act/<station>/<action>")
    def act(station: str, action: str) -> ResponseReturnValue:
        if request.headers.get("X-Gatepost") != "1" or station not in posts:
            abort(403 if station in posts else 404)
        hand = ACTIONS.get(action) or abort(404)
        hand(posts[station], request.get_json())
        return "", 204

    return app


def describe(post: Post) -> dict[str, Any]:
    """One line on a station's state, and what it lacks."""
    seen = post.finger.look()
    if seen is None:
        return {"up": False, "line": "没有运行 not running", "missing": ""}
    missing = [one["item"] for one in seen["items"] if not one["present"]]
    network = "已断网 network cut" if post.relay.cut else ("在线 online" if seen["online"] else "离线 offline")
    outcome = f" {seen['outcome']}" if seen["outcome"] else ""
    line = f"{PHASES.get(seen['phase'], seen['phase'])}{outcome} · {network} · 待传 backlog {seen['backlog']}"
    return {"up": True, "line": line, "missing": "缺 missing: " + ", ".join(missing) if missing else ""}


def _show(post: Post, fields: dict[str, Any]) -> None:
    post.hold_up(str(fields.get("pass", "good")))


def _feel(post: Post, fields: dict[str, Any]) -> None:
    post.morning.step_aside()
    post.world.feel(object_celsius=float(fields["object"]), ambient_celsius=float(fields["ambient"]))


def _fever(post: Post, _fields: dict[str, Any]) -> None:
    post.morning.step_aside(40)
    post.hold_up("good")
    post.world.feel(object_celsius=36.9)


ACTIONS: dict[str, Callable[[Post, dict[str, Any]], object]] = {
    "show": _show,
    "feel": _feel,
    "fever": _fever,
    "nobody": lambda post, _: post.world.nobody(),
    "unplug": lambda post, _: post.world.feel(connected=False),
    "plug_in": lambda post, _: post.world.feel(connected=True),
    "sign_on": lambda post, _: post.sign_on(),
    "sign_off": lambda post, _: post.sign_off(),
    "desk": lambda post, _: post.check_desk(),
    "cut": lambda post, _: post.relay.pull(),
    "restore": lambda post, _: post.relay.plug(),
    "kill": lambda post, _: post.child.kill(),
    "restart": lambda post, _: post.child.start(),
    "pause": lambda post, _: post.play(False),
    "play": lambda post, _: post.play(True),
}
