"""Pages: to be written."""

from flask import Blueprint

figures = Blueprint("figures", __name__)
