"""An OpenAPI 3.1 document made from the very types that requests are read into and answers are written from. Pure.

JSON Schema comes from `msgspec.json.schema_components`; OpenAPI 3.1.1: https://spec.openapis.org/oas/v3.1.1. Errors are Problem
Details (RFC 9457).
"""

import re
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Annotated, Any

import msgspec

PROBLEM = "application/problem+json"
_REFS = "#/components/schemas/{name}"
_BEARER = "bearer"


class Problem(msgspec.Struct, frozen=True, kw_only=True):
    """What went wrong (RFC 9457)."""

    title: str
    status: int
    detail: str = ""
    type: str = "about:blank"
    instance: str = ""
    """The path that was asked for."""


class NoQuery(msgspec.Struct, frozen=True):
    """A request without parameters of its own."""


class Operation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing the API does. `path` is written as Flask writes it: /gates/<gate>."""

    id: str
    method: str
    path: str
    summary: str
    answer: Any
    """The type of a good answer; None: it is plain text."""
    query: type[msgspec.Struct] = NoQuery
    failures: tuple[int, ...] = ()
    """What may go wrong beside what a query and a token bring: 404."""
    open: bool = False
    """No token is asked for."""


def document(operations: Sequence[Operation], *, title: str, version: str, base: str) -> dict[str, Any]:
    """The OpenAPI document of operations under the path `base`."""
    types = [Problem, *(one.answer for one in operations if one.answer is not None), *(one.query for one in operations)]
    refs, components = msgspec.json.schema_components(types, ref_template=_REFS)
    known = dict(zip(types, refs, strict=True))
    of_queries = {one.query.__name__ for one in operations}
    paths: dict[str, Any] = {}
    for one in operations:
        paths.setdefault(_template(one.path), {})[one.method.lower()] = _operation(one, known, components)
    return {
        "openapi": "3.1.0", "info": {"title": title, "version": version}, "servers": [{"url": base}], "paths": paths,
        "components": {
            "schemas": {name: schema for name, schema in components.items() if name not in of_queries},
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }  # fmt: skip


def _operation(one: Operation, known: dict[Any, Any], components: dict[str, Any]) -> dict[str, Any]:
    parameters = [*_path_parameters(one.path), *_query_parameters(components.get(one.query.__name__, {}))]
    described: dict[str, Any] = {
        "operationId": one.id, "summary": one.summary, "security": [] if one.open else [{_BEARER: []}],
        "responses": {"200": _good(one, known), **_failures(one, known)},
    }  # fmt: skip
    return {**described, "parameters": parameters} if parameters else described


def _good(one: Operation, known: dict[Any, Any]) -> dict[str, Any]:
    if one.answer is None:
        return {"description": "OK", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"description": "OK", "content": {"application/json": {"schema": known[one.answer]}}}


def _failures(one: Operation, known: dict[Any, Any]) -> dict[str, Any]:
    codes = {*one.failures, *(() if one.open else (401, 403)), *((400,) if one.query is not NoQuery else ())}
    content = {PROBLEM: {"schema": known[Problem]}}
    made: dict[str, Any] = {str(code): {"description": HTTPStatus(code).phrase, "content": content} for code in sorted(codes)}
    if "401" in made:
        made["401"]["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return made


def _path_parameters(path: str) -> Iterable[dict[str, Any]]:
    for name in re.findall(r"<(\w+)>", path):
        yield {"name": name, "in": "path", "required": True, "schema": {"type": "string", "minLength": 1, "maxLength": 64}}


def _query_parameters(schema: dict[str, Any]) -> Iterable[dict[str, Any]]:
    required = schema.get("required", ())
    for name, of in schema.get("properties", {}).items():
        described = {"description": of["description"]} if "description" in of else {}
        yield {"name": name, "in": "query", "required": name in required, "schema": of, **described}


def _template(path: str) -> str:
    return re.sub(r"<(\w+)>", r"{\1}", path)


Count = Annotated[int, msgspec.Meta(ge=0)]
"""A number of things."""
