"""The pages of tokens for other programs."""

from flask import Blueprint

api = Blueprint("api", __name__)
