"""The pages of alerts, silences and channels."""

from flask import Blueprint

alarms = Blueprint("alarms", __name__)
