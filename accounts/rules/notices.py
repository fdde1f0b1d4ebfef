"""Every kind of thing that people are told: its words on the site and by mail, and which channels are usual. No database here.

Operators change the words of mails in the admin site; these are the first ones. Rules: docs/rules/notices.md#kinds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of thing to tell.

    Shapes: `text` is the line on the site; `subject` and `body` the mail's first words, empty where there is no mail; `sample` has a
        value for every variable that the words may use. `site` and `email` are what is usual; `fixed` ones cannot be switched off.
    """

    name: str
    label: str
    text: str
    subject: str = ""
    body: str = ""
    sample: Mapping[str, str] = field(default_factory=dict)
    site: bool = True
    email: bool = True
    fixed: bool = False

    @property
    def mailed(self) -> bool:
        """Tell whether there is a mail of this kind at all."""
        return bool(self.body)


def _kind(name: str, label: str, text: str, subject: str = "", body: str = "", **more: object) -> Kind:
    sample = dict(more.pop("sample", {}))  # type: ignore[call-overload]
    return Kind(name, label, text, subject, body, sample=sample, **more)  # type: ignore[arg-type]


_DUEL = {
    "other": "mika",
    "stake": "100 tokens",
    "duration": "30 min",
    "reason": "No time this week.",
    "result": "You won 190 tokens.",
}
_CONTEST = {"title": "Evening cup", "when": "27 November, 18:00 UTC", "place": "2", "prize": "You receive $25.00."}
_TRADER = {"trader": "mika", "title": "Evening cup", "place": "2"}

_ALL = (
    _kind(
        "challenge_received",
        "Somebody challenges you",
        "{{ other }} challenges you: {{ stake }} each, {{ duration }}.",
        "{{ other }} challenges you on Trading Arena",
        "{{ other }} challenges you to trade against each other: {{ stake }} each, for {{ duration }}.\n\n"
        "Accept, decline, or ask for other terms within 72 hours:\n{{ url }}\n\n"
        "Nobody pays before both have accepted the same terms. Without an account the link leads to one.",
        sample=_DUEL,
    ),
    _kind(
        "challenge_countered",
        "Other terms in a challenge",
        "{{ other }} asks for other terms: {{ stake }} each, {{ duration }}.",
        sample=_DUEL,
        email=False,
    ),
    _kind(
        "challenge_accepted",
        "Your challenge is accepted",
        "{{ other }} has accepted your terms. Both stakes are to be paid now.",
        "{{ other }} has accepted your challenge",
        "{{ other }} has accepted the terms: {{ stake }} each, for {{ duration }}.\n\n"
        "Pay your stake here. The contest starts when both are in:\n{{ url }}",
        sample=_DUEL,
    ),
    _kind(
        "challenge_funding",
        "The other stake is in",
        "{{ other }} has paid. Pay your stake within 30 minutes, or it is off.",
        sample=_DUEL,
        email=False,
    ),
    _kind(
        "challenge_started",
        "A challenge begins",
        "Your challenge against {{ other }} is on.",
        sample=_DUEL,
        email=False,
    ),
    _kind(
        "challenge_completed",
        "A challenge is decided",
        "Your challenge against {{ other }} is decided. {{ result }}",
        "Decided: you against {{ other }}",
        "Your challenge against {{ other }} has ended. {{ result }}\n\nThe receipt, and the rematch with one click:\n{{ url }}",
        sample=_DUEL,
    ),
    _kind(
        "challenge_closed",
        "A challenge is off",
        "Your challenge against {{ other }} is off. {{ reason }}",
        sample=_DUEL,
        email=False,
    ),
    _kind(
        "followed_joined",
        "A trader you follow joins a contest",
        "{{ trader }} has joined {{ title }}.",
        sample=_TRADER,
        email=False,
    ),
    _kind(
        "followed_top3",
        "A trader you follow is in the top three",
        "{{ trader }} is among the first three of {{ title }}.",
        sample=_TRADER,
        email=False,
    ),
    _kind(
        "followed_market_opened",
        "Bets open on a trader you follow",
        "Bets are open on {{ trader }} in {{ title }}.",
        sample=_TRADER,
        email=False,
    ),
    _kind(
        "followed_result",
        "A trader you follow has finished",
        "{{ trader }} finished {{ title }} on place {{ place }}.",
        sample=_TRADER,
        email=False,
    ),
    _kind(
        "competition_starting",
        "A contest of yours is about to start",
        "{{ title }} starts {{ when }}.",
        "{{ title }} starts soon",
        "{{ title }} starts {{ when }}. The terminal is ready:\n{{ url }}",
        sample=_CONTEST,
    ),
    _kind(
        "competition_finished",
        "A contest of yours has finished",
        "{{ title }} is final. Your place: {{ place }}. {{ prize }}",
        "{{ title }} has finished",
        "{{ title }} is final. Your place: {{ place }}. {{ prize }}\n\nThe results, and a receipt for every fill:\n{{ url }}",
        sample=_CONTEST,
    ),
    _kind(
        "bet_settled",
        "A bet of yours is settled",
        "Your bet on {{ trader }} in {{ title }} is settled: {{ result }}",
        "Your bet on {{ trader }} is settled",
        "Your bet on {{ trader }} in {{ title }} is settled: {{ result }}\n\nThe receipt, which anyone can recompute:\n{{ url }}",
        sample=_TRADER | {"result": "you receive 180 tokens."},
    ),
    _kind(
        "mentioned",
        "Somebody names or answers you in a chat",
        "{{ other }} called you in {{ title }}.",
        sample={"other": "mika", "title": "Evening cup"},
        email=False,
    ),
    _kind(
        "payout",
        "A payout of yours has been paid",
        "{{ amount }} for {{ title }} has been paid to you.",
        "Your payout for {{ title }}",
        "{{ amount }} for {{ title }} has been paid to you. {{ note }}\n\n{{ url }}",
        sample={"amount": "$25.00", "title": "Evening cup", "note": "By bank transfer."},
    ),
    _kind(
        "badge",
        "You have earned a badge",
        "You have earned {{ badge }} in {{ title }}.",
        sample={"badge": "First win", "title": "Evening cup"},
        email=False,
    ),
    _kind(
        "sanction",
        "A moderator has acted",
        "{{ what }} {{ until }} Reason: {{ reason }}",
        "About your account on Trading Arena",
        "{{ what }} {{ until }}\n\nReason: {{ reason }}\n\nYou can appeal once:\n{{ url }}",
        sample={
            "what": "You are muted in every channel.",
            "until": "Until 28 November, 12:00 UTC.",
            "reason": "Insults.",
        },
        fixed=True,
    ),
    _kind(
        "security",
        "Something about your account's safety",
        "{{ what }}",
        "A change to your account",
        "{{ what }}\n\nIf this was not you, change your password and end all sessions:\n{{ url }}",
        sample={"what": "Your password was changed."},
        fixed=True,
        email=False,
    ),
    _kind(
        "export_ready",
        "A copy of your data is ready",
        "The copy of your data is ready. It can be downloaded until {{ until }}.",
        "Your data is ready",
        "The copy of your data that you asked for is ready: a ZIP of JSON files. You can download it until {{ until }}, "
        "signed in:\n{{ url }}\n\n"
        "If you have not asked for it, change your password: somebody has used your account.",
        sample={"until": "4 December, 12:00 UTC"},
        fixed=True,
    ),
    _kind(
        "deletion_requested",
        "Your account is to be deleted",
        "Your account will be deleted on {{ due }}. Until then you can keep it.",
        "Your account will be deleted",
        "You have asked us to delete your account. It will be deleted on {{ due }}; until then you can sign in and keep it:\n{{ url }}\n\n"
        "What names you is removed then, and tokens that are left are given up. If you have not asked for it, change your password.",
        sample={"due": "11 December"},
        fixed=True,
    ),
)

KINDS: Mapping[str, Kind] = {kind.name: kind for kind in _ALL}
SWITCHABLE = tuple(kind for kind in _ALL if not kind.fixed)


def variables(kind: Kind) -> frozenset[str]:
    """Name the variables that the words of a kind may use."""
    return frozenset({*kind.sample, "name", "url"})
