"""Reading: Stripe's lists with their filters and pages, and objects inside of objects (`expand`).

Which path answers with which of them is in `rest.py`.
"""

import operator
from collections.abc import Callable, Sequence

from tradingarena.localstack.fakestripe.errors import malformed, missing
from tradingarena.localstack.fakestripe.params import Params
from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.wire import Values

MOST = 100
DEEPEST = 4
MOMENTS: dict[str, Callable[[int, int], bool]] = {
    "gt": operator.gt,
    "gte": operator.ge,
    "lt": operator.lt,
    "lte": operator.le,
}
# What may be put in the place of an id, by the kind of object that has it.
EXPANDABLE = {
    ("checkout.session", "payment_intent"): "payment_intent",
    ("payment_intent", "latest_charge"): "charge",
    ("charge", "payment_intent"): "payment_intent",
    ("refund", "charge"): "charge",
    ("refund", "payment_intent"): "payment_intent",
    ("dispute", "charge"): "charge",
    ("dispute", "payment_intent"): "payment_intent",
}


def page(rows: Sequence[Values], asked: Params, url: str) -> Values:
    """Cut one page out of rows that stand newest first.

    Raises: ApiError: limit, starting_after or ending_before.
    """
    limit = asked.integer("limit", least=1, most=MOST) or 10
    after, before = asked.text("starting_after"), asked.text("ending_before")
    if after and before:
        raise malformed("You may only specify one of these parameters: ending_before, starting_after.", "ending_before")
    names = [row["id"] for row in rows]
    begin, end = 0, len(rows)
    if after:
        begin = _place(names, after, "starting_after") + 1
    if before:
        end = _place(names, before, "ending_before")
        begin = max(0, end - limit)
    chosen = rows[begin : min(end, begin + limit)]
    more = begin > 0 if before else begin + limit < end
    return {"object": "list", "data": list(chosen), "has_more": more, "url": url}


def _place(names: Sequence[str], name: str, param: str) -> int:
    if name not in names:
        raise missing("object", name, param)
    return names.index(name)


def made_when(asked: Params) -> Callable[[Values], bool]:
    """Read the filter `created`: a moment, or bounds such as `created[gte]`."""
    if not isinstance(asked.values.get("created"), dict):
        exactly = asked.integer("created", most=10**11)
        return lambda row: exactly is None or row["created"] == exactly
    section = asked.section("created")
    assert section is not None  # it is a mapping
    bounds = [(compare, section.integer(name, most=10**11)) for name, compare in MOMENTS.items()]
    return lambda row: all(moment is None or compare(row["created"], moment) for compare, moment in bounds)


def is_type(asked: Params) -> Callable[[Values], bool]:
    """Read the filters `type` and `types[]` of events; `charge.*` stands for all that begin so."""
    one, several = asked.text("type"), asked.texts("types")
    if one and several:
        raise malformed("You may only specify one of these parameters: type, types.", "types")
    wanted = [one] if one else several

    def fits(row: Values) -> bool:
        kind = row["type"]
        return not wanted or any(kind == each or (each[-1] == "*" and kind.startswith(each[:-1])) for each in wanted)

    return fits


def expand(state: State, value: Values, ways: Sequence[str]) -> Values:
    """Show an object, or a list of them, with other objects in the place of their ids.

    Raises: ApiError: a way that does not exist, or is too deep.
    """
    if value["object"] == "list":
        for way in ways:
            if way.split(".")[0] != "data":
                raise _cannot(way)
        inner = [way.partition(".")[2] for way in ways]
        return value | {"data": [expand(state, row, inner) for row in value["data"]]}
    seen = state.shown(value)
    for way in ways:
        if way.count(".") >= DEEPEST:
            raise malformed(f"You cannot expand more than {DEEPEST} levels of a property ({way}).", "expand")
        name, _, rest = way.partition(".")
        deeper = [rest] if rest else []
        if (value["object"], name) == ("checkout.session", "line_items"):
            seen[name] = items(state, value)
        elif (value["object"], name) == ("charge", "refunds"):
            seen[name] = refunds(state, value)
        elif (value["object"], name) in EXPANDABLE:
            if isinstance(seen[name], dict):
                seen[name] = expand(state, seen[name], deeper)
            elif seen[name]:
                seen[name] = expand(state, state.need(EXPANDABLE[value["object"], name], seen[name]), deeper)
        else:
            raise _cannot(way)
    return seen


def items(state: State, session: Values) -> Values:
    """Give a session's lines as a list."""
    rows = [state.shown(item) for item in session["_items"]]
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    return {"object": "list", "data": rows, "has_more": False, "url": url}


def refunds(state: State, charge: Values) -> Values:
    """Give a charge's ten newest refunds as a list."""
    rows = [state.shown(each) for each in state.store.newest("refund") if each["charge"] == charge["id"]]
    url = f"/v1/charges/{charge['id']}/refunds"
    return {"object": "list", "data": rows[:10], "has_more": len(rows) > 10, "url": url}


def _cannot(way: str) -> Exception:
    return malformed(f"This property cannot be expanded ({way}).", "expand")
