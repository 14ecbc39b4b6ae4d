"""The pages of the rota and hours on duty."""

from flask import Blueprint

shifts = Blueprint("shifts", __name__)
