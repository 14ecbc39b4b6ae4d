"""Pages: to be written."""

from flask import Blueprint

station_settings = Blueprint("station_settings", __name__)
