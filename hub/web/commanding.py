"""The pages of commands to stations."""

from flask import Blueprint

commanding = Blueprint("commanding", __name__)
