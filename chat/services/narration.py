"""What is worth saying of a running contest: another leader, a large trade closed. Found by looking, every few seconds.

Nothing is said before the crowd may know it: a contest's delay holds here as on the tape. Rules: docs/rules/chat.md#lines-of-the-arena.
"""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from chat.models import Message
from chat.rules.facts import BIG_TRADE_BPS, QUIET_S, lead_text, trade_text
from chat.selectors.channels import of_competition
from chat.services import lines
from competitions.models import Competition, Trade
from competitions.selectors import standings, watching
from tradingarena.core.clock import database_now
from tradingarena.core.locks import queue_for
from tradingarena.core.money import BPS

LOOK_BACK = timedelta(minutes=1)
MOST_TRADES = 3


def narrate() -> dict[str, int]:
    """Look at every running contest; say how many lines that made.

    Guarantees: a fact is said once, also by two who look at the same time.
    """
    running = Competition.objects.filter(status=Competition.Status.RUNNING)
    counts = {"leads": 0, "trades": 0}
    for competition in running:
        counts["leads"] += _lead(competition)
        counts["trades"] += _trades(competition)
    return counts


def _lead(competition: Competition) -> bool:
    channel_id = of_competition(competition.pk)
    board = standings.live_board(competition)
    first: dict[str, Any] | None = next((dict(row) for row in board["rankings"] if row["rank"] == 1), None)
    if first is None:
        return False
    with transaction.atomic():
        queue_for("chat-narration", competition.pk)
        said = Message.objects.filter(channel=channel_id, author=None, data__fact="lead").order_by("-seq").first()
        if said is not None:
            same = said.data.get("entry_id") == first["entry_id"]
            if same or database_now() - said.created_at < timedelta(seconds=QUIET_S):
                return False
        text = lead_text(first["username"], first["return_bps"], first_ever=said is None)
        data = {
            "fact": "lead",
            "entry_id": first["entry_id"],
            "username": first["username"],
            "return_bps": first["return_bps"],
        }
        count = Message.objects.filter(channel=channel_id, author=None, data__fact="lead").count()
        return lines.announce(channel_id, f"lead:{count + 1}", text, data) is not None


def _trades(competition: Competition) -> int:
    until = database_now() - timedelta(seconds=watching.delay_s(competition))
    least = competition.starting_balance_cents * BIG_TRADE_BPS // BPS
    closed = Trade.objects.filter(entry__competition=competition, closed_at__gt=until - LOOK_BACK, closed_at__lte=until)
    large = closed.filter(Q(pnl_cents__gte=least) | Q(pnl_cents__lte=-least)).select_related("entry__user")
    said = 0
    for trade in large.order_by(F("closed_at").desc())[:MOST_TRADES]:
        key = f"trade:{trade.pk}"
        known = Message.objects.filter(channel=of_competition(competition.pk), author=None, client_id=key).exists()
        if known:
            continue
        text = trade_text(trade.entry.user.username, trade.pair, trade.pnl_cents)
        data = {"fact": "trade", "trade_id": str(trade.pk), "pair": trade.pair, "pnl_cents": trade.pnl_cents}
        said += lines.announce(of_competition(competition.pk), key, text, data) is not None
    return said
