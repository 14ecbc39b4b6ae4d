"""The JSON API for other programs under /api/v1, and the pages of the tokens that open it."""

from flask.blueprints import BlueprintSetupState

from hub.web.api import views
from hub.web.api.access import api
from hub.web.api.pages import tokens

__all__ = ["api", "tokens", "views"]


@api.record_once
def _beside(state: BlueprintSetupState) -> None:
    """No cookie opens the API, so that nobody can forge a request to it: no CSRF. The pages of the tokens come along."""
    state.app.extensions["csrf"].exempt(api)
    state.app.register_blueprint(tokens)
