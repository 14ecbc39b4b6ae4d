"""Pages: to be written."""

from flask import Blueprint

colouring = Blueprint("colouring", __name__)
