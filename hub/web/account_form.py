"""The form of an account, and the places that its scope may be ticked from."""

import re
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from flask_wtf import FlaskForm
from wtforms import Field, PasswordField, SelectField, SelectMultipleField, StringField
from wtforms.validators import ValidationError

from hub.registry.accounts import MIN_PASSWORD, Account
from hub.registry.places import Place, PlaceKind, list_places
from hub.rights import Role, Scope, ScopeKind
from hub.rules.granting import Above, Excess, Rights, covers, end_of, exceeds, last_day, read_scope, scope_text
from hub.web.site import site

ID = r"[A-Za-z0-9][A-Za-z0-9._\-]{0,63}"
"""What `hub.registry.accounts` takes for an id."""

_BELOW = {ScopeKind.AREA: ScopeKind.COMMITTEE, ScopeKind.COMMITTEE: ScopeKind.COMPOUND}


@dataclass(frozen=True)
class Box:
    """A tick box of the scope, and the boxes within its place. `value` is None for a place that is not the giver's to give."""

    name: str
    value: str | None
    within: tuple["Box", ...] = ()

    def values(self) -> list[str]:
        """What can be ticked here and within."""
        return [*([self.value] if self.value else []), *(value for box in self.within for value in box.values())]


class Places:
    """Areas, committees and compounds: their names, and what lies in what."""

    def __init__(self, conn: sa.Connection) -> None:
        kinds: list[ScopeKind] = [ScopeKind.AREA, ScopeKind.COMMITTEE, ScopeKind.COMPOUND]
        self._places = {kind: list_places(conn, PlaceKind(kind.value)) for kind in kinds}
        known = {Scope(kind, one.id): one for kind, found in self._places.items() for one in found}
        self.names = {scope: one.name for scope, one in known.items()}
        above = {below: kind for kind, below in _BELOW.items()}
        self.above: Above = {scope: Scope(above[scope.kind], one.parent) for scope, one in known.items() if scope.kind in above}

    def boxes(self, mine: tuple[Scope, ...]) -> tuple[Box, ...]:
        """An area a box, with its committees and their compounds; without what the giver has no part in."""
        made = (self._box(mine, ScopeKind.AREA, one) for one in self._places[ScopeKind.AREA])
        return tuple(box for box in made if box.values())

    def _box(self, mine: tuple[Scope, ...], kind: ScopeKind, place: Place) -> Box:
        scope, below = Scope(kind, place.id), _BELOW.get(kind)
        inner = (self._box(mine, below, one) for one in self._places[below] if one.parent == place.id) if below else ()
        value = scope_text(scope) if covers(mine, scope, self.above) else None
        return Box(place.name, value, tuple(box for box in inner if box.values()))


class AccountForm(FlaskForm):  # type: ignore[misc]
    """What an account is. Its messages are keys of the texts. Call `given_by` before it is validated."""

    name = StringField(filters=[lambda typed: (typed or "").strip()])
    role = SelectField(choices=(), validate_choice=False)
    scopes = SelectMultipleField(choices=(), validate_choice=False)
    until = StringField()
    contact = StringField(filters=[lambda typed: (typed or "").strip()])

    def given_by(self, mine: Rights, places: Places) -> None:
        """Whose rights the account's may not go beyond, and where it may be."""
        self._mine, self._places = mine, places

    def fill(self, account: Account) -> None:
        """Show what the account is now."""
        self.name.data, self.role.data, self.contact.data = account.name, account.role.value, account.contact
        self.scopes.data = [scope_text(one) for one in account.scopes]
        self.until.data = last_day(account.expires_at, site().located.zone).isoformat() if account.expires_at else ""

    def rights(self) -> Rights:
        """What was asked for; only for a form that is valid."""
        return Rights(role=Role(self.role.data), scopes=self._scopes(), expires_at=self._end())

    def validate_name(self, field: Field) -> None:
        """A name fits in its column and on its line."""
        _require(len(field.data) <= 200 and _plain(field.data), "people.error.name")

    def validate_contact(self, field: Field) -> None:
        """As a name."""
        _require(len(field.data) <= 200 and _plain(field.data), "people.error.contact")

    def validate_role(self, field: Field) -> None:
        """A role there is, not beyond one's own."""
        _require(field.data in set(Role), "people.error.role")
        self._within(Rights(role=Role(field.data), scopes=()), Excess.ROLE, "people.error.role_beyond")

    def validate_scopes(self, _field: Field) -> None:
        """Places there are, not beyond one's own, one at least."""
        try:
            wanted = self._scopes()
        except ValueError:
            raise ValidationError("people.error.scopes") from None
        _require(bool(wanted), "people.error.scopes_none")
        _require(all(one.kind is ScopeKind.ALL or one in self._places.names for one in wanted), "people.error.scopes")
        self._within(Rights(role=Role.GUEST, scopes=wanted), Excess.SCOPES, "people.error.scopes_beyond")

    def validate_until(self, _field: Field) -> None:
        """A day, not past; a guest has one, and nobody who makes accounts goes beyond one's own."""
        try:
            end = self._end()
        except (ValueError, OverflowError):
            raise ValidationError("people.error.until") from None
        _require(end is not None or self.role.data != Role.GUEST, "people.error.until_guest")
        _require(end is None or end > site().now(), "people.error.until_past")
        if self.role.data in set(Role):
            wanted = Rights(role=Role(self.role.data), scopes=(), expires_at=end)
            self._within(wanted, Excess.END, "people.error.until_beyond")

    def _within(self, wanted: Rights, excess: Excess, said: str) -> None:
        _require(exceeds(self._mine, wanted, self._places.above) is not excess, said)

    def _scopes(self) -> tuple[Scope, ...]:
        wanted = sorted({read_scope(one) for one in self.scopes.data or ()})
        return (Scope(ScopeKind.ALL),) if Scope(ScopeKind.ALL) in wanted else tuple(wanted)

    def _end(self) -> datetime | None:
        typed = (self.until.data or "").strip()
        return end_of(date.fromisoformat(typed), site().located.zone) if typed else None


class NewAccountForm(AccountForm):
    """An account that is not there yet."""

    id = StringField(filters=[lambda typed: (typed or "").strip()])

    def validate_id(self, field: Field) -> None:
        """What the registry takes for an id."""
        _require(re.fullmatch(ID, field.data) is not None, "people.error.id")


class PasswordForm(FlaskForm):  # type: ignore[misc]
    """One's own password, changed."""

    old = PasswordField()
    new = PasswordField()
    again = PasswordField()

    def validate_old(self, field: Field) -> None:
        """Whether it is the right one is asked of the registry."""
        _require(bool(field.data) and len(field.data) <= 1000, "people.error.old")

    def validate_new(self, field: Field) -> None:
        """Long enough, and another than the old one."""
        _require(MIN_PASSWORD <= len(field.data or "") <= 1000, "people.error.new")
        _require(field.data != self.old.data, "people.error.new_same")

    def validate_again(self, field: Field) -> None:
        """Typed alike twice."""
        _require(field.data == self.new.data, "people.error.again")


def _require(well: bool, said: str) -> None:
    if not well:
        raise ValidationError(said)


def _plain(typed: str) -> bool:
    return all(character.isprintable() for character in typed)
