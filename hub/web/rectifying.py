"""The pages of rectifications and tasks."""

from flask import Blueprint

rectifying = Blueprint("rectifying", __name__)
