"""Who is told what of a challenge. How they hear of it is their own choice; words are in `accounts.rules.notices`."""

from typing import Any
from uuid import UUID

from allauth.account.models import EmailAddress

from accounts.models import User
from accounts.services import mail, notices
from pvp.models import Challenge, Settlement, Stake, Winnings
from pvp.selectors.challenges import terms_of


def received(challenge: Challenge) -> None:
    """Tell the invitee of a challenge; who was invited by address gets the link, with or without an account."""
    values = _terms(challenge) | {"other": challenge.challenger.username}
    if challenge.invitee_id is not None:
        _tell("challenge_received", challenge, [challenge.invitee_id], values)
        return
    url = f"/pvp/invitations/{challenge.invite_code}"
    owner = EmailAddress.objects.filter(email=challenge.invitee_email, verified=True).values_list("user_id", flat=True)
    if owner:
        notices.tell("challenge_received", owner[:1], cause=challenge.pk, url=url, values=values)
    else:
        recipient = mail.Recipient(challenge.invitee_email, None, values)
        mail.queue("challenge_received", [recipient], cause=str(challenge.pk), url=url)


def countered(challenge: Challenge, actor: User) -> None:
    """Tell the other side that the terms have changed."""
    values = _terms(challenge) | {"other": actor.username}
    _tell(
        "challenge_countered", challenge, _others(challenge, actor), values, cause=f"{challenge.pk}:{challenge.version}"
    )


def accepted(challenge: Challenge, actor: User) -> None:
    """Tell the other side that the terms stand."""
    _tell("challenge_accepted", challenge, _others(challenge, actor), _terms(challenge) | {"other": actor.username})


def stake_paid(challenge: Challenge, stake: Stake) -> None:
    """Tell the other side that half an hour is left to pay."""
    _tell("challenge_funding", challenge, _others(challenge, stake.user), {"other": stake.user.username})


def started(challenge: Challenge) -> None:
    """Tell both that the contest stands."""
    _tell_both("challenge_started", challenge, {})


def completed(challenge: Challenge, settled: Settlement) -> None:
    """Tell both how it ended."""

    def result(user_id: UUID) -> str:
        if settled.winner_id is None:
            return (
                "It is a tie: both stakes go back."
                if settled.outcome == "tie"
                else "Nobody is ranked: both stakes go back."
            )
        if settled.winner_id == user_id:
            return f"You won {_amount(settled.paid, in_tokens=settled.in_tokens)}."
        return "You lost."

    _tell_both("challenge_completed", challenge, {}, own=lambda user_id: {"result": result(user_id)})


def winnings_paid(winnings: Winnings) -> None:
    """Tell the winner that the money has been paid."""
    title = f"your challenge against {_other(winnings.challenge, winnings.user_id)}"
    values = {"title": title, "amount": _amount(winnings.amount_cents, in_tokens=False), "note": winnings.note}
    url = f"/pvp/{winnings.challenge_id}"
    notices.tell("payout", [winnings.user_id], cause=winnings.pk, url=url, values=values)


def _other(challenge: Challenge, user_id: UUID) -> str:
    assert challenge.invitee is not None  # whoever accepted
    return (challenge.invitee if user_id == challenge.challenger_id else challenge.challenger).username


def closed(actor: User | None, challenge: Challenge) -> None:
    """Tell whoever did not do it themselves that the challenge is over without a result."""
    _tell_both("challenge_closed", challenge, {"reason": challenge.reason}, but=actor)


def _tell_both(
    kind: str, challenge: Challenge, values: dict[str, Any], *, own: Any = None, but: User | None = None
) -> None:
    sides = {challenge.challenger_id: challenge.invitee, challenge.invitee_id: challenge.challenger}
    for user_id, other in sides.items():
        if user_id is not None and (but is None or but.pk != user_id):
            name = other.username if other is not None else challenge.invitee_email
            _tell(kind, challenge, [user_id], {"other": name} | values | (own(user_id) if own else {}))


def _tell(kind: str, challenge: Challenge, to: list[UUID], values: dict[str, Any], *, cause: str = "") -> None:
    notices.tell(kind, to, cause=cause or challenge.pk, url=f"/pvp/{challenge.pk}", values=values)


def _others(challenge: Challenge, actor: User) -> list[UUID]:
    return [pk for pk in (challenge.challenger_id, challenge.invitee_id) if pk is not None and pk != actor.pk]


def _terms(challenge: Challenge) -> dict[str, Any]:
    terms = terms_of(challenge)
    stake = _amount(terms.stake_tokens or terms.stake_cents, in_tokens=bool(terms.stake_tokens))
    return {"stake": stake, "duration": _span(terms.duration_s)}


def _amount(amount: int, *, in_tokens: bool) -> str:
    return f"{amount:,} tokens" if in_tokens else f"${amount // 100:,}.{amount % 100:02d}"


def _span(seconds: int) -> str:
    days, rest = divmod(seconds, 86_400)
    hours, minutes = divmod(rest // 60, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min")]
    return " ".join(f"{count} {unit}" for count, unit in parts if count)
