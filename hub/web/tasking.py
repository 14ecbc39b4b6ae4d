"""The pages of tasks: the list, a new one, done, cancelled."""

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import current_user

from hub import rectifications, tasks
from hub.registry.accounts import is_over, list_accounts
from hub.registry.errors import RegistryError
from hub.rights import Action, may, within
from hub.store.tables import accounts, areas, committees, compounds
from hub.store.writing import writing
from hub.web.errors import Unknown
from hub.web.guard import allowed, needs, noted, reach
from hub.web.rectifying_forms import Giving, page_number, rest_of_query, said, select
from hub.web.rectifying_lines import Names, due_word
from hub.web.site import language, site

ON_A_PAGE = 50

tasking = Blueprint("tasking", __name__)


@tasking.get("/tasks")
@needs(Action.VIEW)
def index() -> ResponseReturnValue:
    """Who is to do what; or, by filter, what was done and cancelled."""
    now, page, ended = site().now(), page_number(), request.args.get("state") == "ended"
    owner = current_user.id if request.args.get("owner") == "me" else None
    area = request.args.get("area", "")
    with site().engine.connect() as conn:
        known = tasks.list_tasks(conn, reach(), ended=ended, owner=owner, area=area, limit=ON_A_PAGE, offset=page * ON_A_PAGE)
        total = tasks.count(conn, reach(), ended=ended, owner=owner, area=area)
        names, known_areas = account_names(conn), areas_in_reach(conn)
    return render_template(
        "rectifying/tasks.html", tasks=known, total=total, page=page, pages=-(-total // ON_A_PAGE), names=names,
        areas=known_areas, wanted={"ended": ended, "owner": owner, "area": area}, rest=rest_of_query, now=now,
        gives=allowed(Action.TASK), answers=allowed(Action.ANSWER), lasting=lambda one: due_word(one.due_at, now, language()),
    )  # fmt: skip


@tasking.route("/tasks/new", methods=["GET", "POST"])
@needs(Action.TASK)
def new() -> ResponseReturnValue:
    """Give a task."""
    form, now = Giving(compound=request.args.get("compound", "")), site().now()
    with site().engine.connect() as conn:
        query = sa.select(compounds.c.id, compounds.c.name).order_by(compounds.c.name)
        found = [(id, name) for id, name in conn.execute(query) if within(reach(), id)]
        answering = [one for one in list_accounts(conn) if may(one.role, Action.ANSWER) and not is_over(one, now)]
    form.compound.choices = select(("", said("rectify.form.choose")), *found)
    form.owner.choices = select(("", said("rectify.owner.none")), *((one.id, one.name) for one in answering))
    if not form.validate_on_submit() or not _covers(form):
        return render_template("rectifying/task.html", form=form), 400 if form.is_submitted() else 200
    with writing(site().engine) as conn:
        id = tasks.add(
            conn, form.compound.data, form.title.data, current_user.id, now,
            due_at=form.due_at.time, owner=form.owner.data or None, note=form.note.data,
        )  # fmt: skip
        noted(conn, "give", "task", id, compound=form.compound.data, owner=form.owner.data)
    return redirect(url_for("rectifying.tasking.index"), 303)


@tasking.post("/tasks/<id>/done")
@needs(Action.ANSWER)
def done(id: str) -> ResponseReturnValue:
    """A task is done."""
    return _end(id, "done")


@tasking.post("/tasks/<id>/cancel")
@needs(Action.TASK)
def cancel(id: str) -> ResponseReturnValue:
    """A task need not be done."""
    return _end(id, "cancel")


def account_names(conn: sa.Connection) -> Names:
    """The names of all accounts, those disabled among them: what they did stays theirs."""
    return {row.id: row.name for row in conn.execute(sa.select(accounts.c.id, accounts.c.name))}


def areas_in_reach(conn: sa.Connection) -> list[tuple[str, str]]:
    """Ids and names of the areas with a compound in reach."""
    joined = areas.join(committees, committees.c.area == areas.c.id).join(compounds, compounds.c.committee == committees.c.id)
    query = sa.select(areas.c.id, areas.c.name, compounds.c.id).select_from(joined).order_by(areas.c.name)
    return list(dict.fromkeys((id, name) for id, name, compound in conn.execute(query) if within(reach(), compound)))


def _covers(form: Giving) -> bool:
    """Whether the owner answers for the compound; if not, the field says so."""
    if not form.owner.data:
        return True
    with site().engine.connect() as conn:
        known = rectifications.owners(conn, form.compound.data, site().now())
    if form.owner.data in {account.id for account in known}:
        return True
    form.owner.errors = [said("rectify.form.owner.elsewhere")]
    return False


def _end(id: str, what: str) -> ResponseReturnValue:
    with writing(site().engine) as conn:
        known = tasks.one(conn, id)
        if known is None or not within(reach(), known.compound):
            raise Unknown(said("task.unknown"))
        try:
            if what == "done":
                tasks.finish(conn, id, current_user.id, site().now())
            else:
                tasks.cancel(conn, id, site().now())
            noted(conn, what, "task", id, compound=known.compound)
        except RegistryError:
            pass  # somebody was faster: the list shows what became of it
    return redirect(url_for("rectifying.tasking.index"), 303)
