"""What share cards say of contests, traders and trades. They are always made for a stranger: whoever gets the picture may see it.

How one is drawn is in `core/cards.py`. Rules: docs/rules/arena.md#sharing.
"""

from uuid import UUID

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _

from competitions import messages
from competitions.models import Competition
from competitions.selectors import pages, standings, trading
from tradingarena.core.cards import Card, Row
from tradingarena.core.money import BPS
from tradingarena.templatetags.figures import lots, money_signed, percent_signed

Status = Competition.Status
STRANGER = AnonymousUser()
TOP = 4


def contest_card(competition: Competition) -> Card:
    """Say what a contest is: when it starts, who leads, or who won."""
    (card,) = pages.cards(STRANGER, [competition], top=TOP)
    rows = [
        Row(f"{row['rank'] or '–'}   {row['username']}", percent_signed(row["return_bps"]), row["return_bps"])
        for row in card.top
    ]
    leader = card.leader
    return Card(
        kicker=_kicker(competition),
        title=competition.title,
        figure=percent_signed(leader["return_bps"]) if leader else "",
        figure_label=(_("%(name)s leads with") if competition.status == Status.RUNNING else _("%(name)s won with"))
        % {"name": leader["username"]}
        if leader
        else "",
        direction=leader["return_bps"] if leader else 0,
        rows=rows,
        curve=card.curve,
        base=competition.starting_balance_cents,
        foot=_("%(n)d traders · virtual money") % {"n": card.entrants},
    )


def trader_card(competition: Competition, username: str) -> Card:
    """Say how somebody stands in a contest, or how it ended for them.

    Raises: NotFound. DomainError: strangers may not watch this contest.
    """
    entry, _seen = pages.entry_of(STRANGER, competition, username)
    equity, rank = standings.standing_of(competition, entry)
    start = competition.starting_balance_cents
    gain_bps = (equity - start) * BPS // start
    rows = [Row(_("Rank"), f"#{rank}" if rank else "–"), Row(_("Fills"), str(entry.fills_count))]
    return Card(
        kicker=f"{_kicker(competition)} · {competition.title}",
        title=entry.user.username,
        figure=percent_signed(gain_bps),
        figure_label=_("return"),
        direction=gain_bps,
        rows=rows,
        curve=[cents for _at, cents in trading.equity_curve(entry, points=200)],
        base=start,
        foot=_("virtual money, real rules, a receipt for every fill"),
    )


def trade_card(competition: Competition, trade_id: UUID) -> Card:
    """Say what came of a trade.

    Raises: NotFound: there is none, or strangers may not see it yet. DomainError: they may not watch this contest.
    """
    trade = pages.trade(STRANGER, competition, trade_id)
    shown = messages.trade(trade)
    gain = trade.pnl_cents - trade.fee_cents
    rows = [Row(_("In"), shown["average_open_price"] or "–"), Row(_("Out"), shown["average_close_price"] or "–")]
    return Card(
        kicker=f"{trade.entry.user.username} · {competition.title}",
        title=f"{_('Long') if trade.side == 'buy' else _('Short')} {lots(trade.opened_units)} {trade.pair}",
        figure=money_signed(gain),
        figure_label=_("after fees") if trade.closed_at else _("so far, the trade is open"),
        direction=gain,
        rows=rows,
        foot=_("every fill has its receipt"),
    )


def _kicker(competition: Competition) -> str:
    words = {
        Status.OPEN: _("Open for entries"),
        Status.RUNNING: _("Live now"),
        Status.SETTLING: _("Final"),
        Status.COMPLETED: _("Final"),
        Status.CANCELLED: _("Cancelled"),
    }
    return str(words.get(Status(competition.status), ""))
