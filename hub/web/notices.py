"""Pages: to be written."""

from flask import Blueprint

notices = Blueprint("notices", __name__)
