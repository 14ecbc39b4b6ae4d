"""The pages of places, imports and exports."""

from flask import Blueprint

exchange = Blueprint("exchange", __name__)
