"""The pages of the daily report and evidence pages."""

from flask import Blueprint

reports = Blueprint("reports", __name__)
