"""Drawing up a contest and changing it: its terms hold whenever it is stored, and freeze when somebody has joined.

What must hold is in `terms.py`, what happens to a contest afterwards in `lifecycle.py`. Rules:
docs/rules/competitions.md#terms.
"""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.text import slugify

from accounts import audit
from accounts.models import User
from competitions.models import Competition
from competitions.services import terms
from competitions.services.steps import RulesFrozen, Status, fed_pairs, open_for_entries, require_operator, tell_room
from tradingarena.core.clock import database_now
from tradingarena.core.errors import NotFound
from tradingarena.core.ids import new_id
from tradingarena.core.locks import lock_row

SLUG_TRIES = 50
WEEK = timedelta(days=7)


def competition_create(actor: User | None, *, open_now: bool = False, **fields: Any) -> Competition:
    """Make a contest as a draft, or open for entries at once.

    Shapes: fields of `terms.FIELDS`; title, pairs, starts_at and ends_at are required. actor None is the system.
    Guarantees: its terms hold (docs/rules/competitions.md#terms).
    Locks / Effects: an audit row; publishes CompetitionOpened when open_now.
    Raises: OperatorsOnly, terms.TermsRefused.
    """
    require_operator(actor)
    with transaction.atomic():
        competition = Competition(id=new_id(), host=actor, starts_at=None, ends_at=None, pairs=[])
        _fill(competition, fields)
        competition.slug = _free_slug(competition)
        competition.planned_ends_at = competition.ends_at
        competition.save(force_insert=True)
        audit.record(actor, "competition.created", competition, new=_json_ready(fields))
        if open_now:
            open_for_entries(actor, competition)
    return competition


def competition_copy(
    actor: User | None,
    competition_id: UUID,
    *,
    starts_at: datetime | None = None,
    title: str | None = None,
    open_now: bool = False,
) -> Competition:
    """Draw up a contest with the terms of another one, which starts later and lasts as long: a draft, or open at once.

    Shapes: starts_at None: the first time in the future that is a whole number of weeks after the other's start; title None: the same.
    Guarantees: nobody has joined it; a copy of a challenge's contest is refused, a private one keeps its invite code.
    Locks / Effects: as `competition_create`.
    Raises: OperatorsOnly, NotFound, terms.TermsRefused.
    """
    require_operator(actor)
    model = Competition.objects.filter(pk=competition_id).exclude(kind=Competition.Kind.PVP).first()
    if model is None:
        raise NotFound("There is no such contest to copy.")
    begin = starts_at or _same_time_of_a_week(model.starts_at, database_now())
    fields = {name: getattr(model, name) for name in terms.FIELDS}
    length = (model.planned_ends_at or model.ends_at) - model.starts_at
    fields |= {"starts_at": begin, "ends_at": begin + length, "title": title or model.title}
    return competition_create(actor, open_now=open_now, **fields)


def _same_time_of_a_week(start: datetime, now: datetime) -> datetime:
    """Find the first moment after now that is a whole number of weeks after the start."""
    return start + max(1, (now - start) // WEEK + 1) * WEEK


def competition_update(actor: User | None, competition_id: UUID, **fields: Any) -> Competition:
    """Change the terms of a contest that is a draft or open and that nobody has joined; the words also later.

    Shapes: some of `terms.FIELDS`.
    Locks / Effects: the contest's row, which joining locks too; an audit row; tells the arena room.
    Raises: OperatorsOnly, NotFound, RulesFrozen, terms.TermsRefused.
    """
    require_operator(actor)
    with transaction.atomic():
        competition = lock_row(Competition, competition_id)
        changed = {name: value for name, value in fields.items() if getattr(competition, name, None) != value}
        if set(changed) - terms.WORDS:
            if competition.status not in {Status.DRAFT, Status.OPEN}:
                raise RulesFrozen("The rules of a contest that has started do not change.")
            if competition.entries.exists():
                raise RulesFrozen
        old = {name: getattr(competition, name, None) for name in changed}
        _fill(competition, changed, judge_times=bool(set(changed) - terms.WORDS))
        if "ends_at" in changed:
            competition.planned_ends_at = competition.ends_at
        if changed:
            competition.save(update_fields=[*changed, "planned_ends_at"])
            audit.record(actor, "competition.changed", competition, old=_json_ready(old), new=_json_ready(changed))
            tell_room(competition)
    return competition


def _fill(competition: Competition, fields: dict[str, Any], *, judge_times: bool = True) -> None:
    """Set fields and refuse what does not hold; a contest under way keeps its past start when only words change."""
    if unknown := sorted(set(fields) - terms.FIELDS):
        raise terms.TermsRefused(
            [terms.Problem(name, "unknown_field", f"There is no field {name} to set.") for name in unknown]
        )
    for name, value in fields.items():
        setattr(competition, name, value)
    competition.title = " ".join(competition.title.split()) if "\n" not in competition.title else competition.title
    found = terms.problems(competition, fed=fed_pairs(), now=database_now())
    if not judge_times:
        found = [problem for problem in found if problem.field in terms.WORDS]
    if found:
        raise terms.TermsRefused(found)


def _free_slug(competition: Competition) -> str:
    """Find a free slug; private contests get one that cannot be guessed."""
    base = slugify(competition.title)[:60] or "contest"
    if competition.kind != Competition.Kind.PUBLIC:
        return f"{base}-{competition.pk.hex[-12:]}"
    taken = set(Competition.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    candidates = [base, *(f"{base}-{number}" for number in range(2, SLUG_TRIES))]
    return next((slug for slug in candidates if slug not in taken), f"{base}-{competition.pk.hex[-12:]}")


def _json_ready(fields: dict[str, Any]) -> dict[str, Any]:
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in fields.items()}
