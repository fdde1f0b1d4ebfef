"""Going in to watch and leaving again: invitations followed, passes paid, presence for those who are not on the socket.

Who may watch is judged in `selectors/access.py`, which the sockets ask too. Rules: docs/rules/arena.md#modes.
"""

import hmac
from uuid import UUID

from django.db import transaction

from accounts import audit
from accounts.models import User
from arena.models import Admission, Listing
from arena.selectors import access, listings
from arena.services import passes
from competitions.selectors.watching import OVER, Viewer
from competitions.services import presence
from tradingarena.core.errors import Conflict, NotFound, NotSignedIn, RuleRefusal
from tradingarena.core.locks import share_row

Mode = Listing.Mode


class InvitationWrong(RuleRefusal):
    """Raised when an invitation's code is not that of the session."""

    code, message = "invitation_wrong", "This is not the invitation of this session."


class SessionOver(Conflict):
    """Raised when somebody would pay for, or be invited to, what is over."""

    code, message = "session_over", "This session is over."


def session_join(viewer: Viewer, key: UUID, *, invite_code: str = "", country: str = "") -> Listing:
    """Go in to watch a contest: follow an invitation, or pay its pass if it needs one and there is none yet.

    Shapes: key is the listing's id or the contest's; country as `accounts.countries.country_of` finds it.
    Guarantees: a pass is paid once a person and listing, whatever is repeated or raced; what is refused costs nothing.
    Locks / Effects: the listing shared, then what the ledger locks; an admission and an audit row; counts as a viewer for 45 s.
    Raises: NotFound, NotSignedIn, InvitationWrong, SessionOver, access.WatchingClosed, watching.InvitedOnly, and what paying refuses.
    """
    listing = _invited(viewer, key, invite_code) if invite_code else listings.find(viewer, key)
    refusal = listings.refusal(viewer, listing)
    if isinstance(refusal, access.PassRequired):
        _pay(viewer, listing, country)
    elif refusal is not None:
        raise refusal
    if isinstance(viewer, User):
        presence.arrive(listing.competition_id, str(viewer.pk))
    return listing


def session_leave(viewer: Viewer, key: UUID) -> Listing:
    """Watch a contest no more: stop counting as a viewer, unless a socket of one's own is still in the room.

    Raises: NotFound.
    """
    listing = listings.find(viewer, key)
    if isinstance(viewer, User):
        presence.depart(listing.competition_id, str(viewer.pk))
    return listing


def must_pay(viewer: Viewer, key: UUID) -> bool:
    """Tell whether going in would cost tokens now; not where there is nothing that one may know of."""
    try:
        return isinstance(listings.refusal(viewer, listings.find(viewer, key)), access.PassRequired)
    except NotFound:
        return False


def _invited(viewer: Viewer, key: UUID, invite_code: str) -> Listing:
    """Follow an invitation. It opens private rooms, and says nothing of whether there is a room to who has a wrong one."""
    listing = Listing.objects.filter(pk=key).first() or Listing.objects.filter(competition=key).first()
    if listing is None or not hmac.compare_digest(invite_code.encode(), listing.invite_code.encode()):
        found = listings.find(viewer, key)  # NotFound for who may not know of it
        if listings.refusal(viewer, found) is None:
            return found
        raise InvitationWrong
    if listing.mode == Mode.PRIVATE:
        _admit(viewer, listing)
    return listings.find(viewer, key)


def _admit(viewer: Viewer, listing: Listing) -> None:
    if not isinstance(viewer, User):
        raise NotSignedIn("Sign in to follow this invitation.")
    with transaction.atomic():
        row, made = Admission.objects.get_or_create(listing=listing, user=viewer, kind=Admission.Kind.INVITATION)
        if made:
            audit.record(viewer, "listing.invitation_followed", listing, new={"admission": str(row.pk)})


def _pay(viewer: Viewer, listing: Listing, country: str) -> None:
    if not isinstance(viewer, User):
        raise NotSignedIn("Sign in to buy a pass for this session.")
    with transaction.atomic():
        now = share_row(Listing, listing.pk)  # its price does not change while it is paid
        if now.mode != Mode.TOKEN_GATED:
            return  # it has changed meanwhile; whoever asks next is judged by the new mode
        if listing.competition.status in OVER:
            raise SessionOver
        admission, made = Admission.objects.get_or_create(
            listing=now,
            user=viewer,
            kind=Admission.Kind.PASS,
            defaults={"paid_tokens": now.spectator_token_cost},
        )
        if made:
            passes.charge(viewer, admission, title=listing.competition.title, country=country)
            audit.record(viewer, "listing.pass_paid", now, new={"tokens": admission.paid_tokens})
