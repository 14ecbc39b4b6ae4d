"""The pages of inspections."""

from flask import Blueprint

inspecting = Blueprint("inspecting", __name__)
