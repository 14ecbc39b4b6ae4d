"""The pages of accounts, the audit log, one's own password."""

from flask import Blueprint

people = Blueprint("people", __name__)
