"""The only writer of value: transfers between accounts, whose legs sum to zero and which are never changed afterwards.

What may be bought or staked, and by whom, is decided in `services/`; card payments are in `payments/`. Rules: docs/rules/tokens.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, cast
from uuid import UUID

import orjson

from tokens import broadcast
from tokens.models import Account, Leg, Transfer
from tradingarena.core import statements
from tradingarena.core.clock import database_now
from tradingarena.core.errors import Conflict, NotFound, RuleRefusal
from tradingarena.core.ids import NAMESPACE, derived_id
from tradingarena.core.locks import lock_row, lock_rows, require_transaction

Kind = Transfer.Kind
SPENDING = frozenset({Kind.BET, Kind.CHAT_TIP, Kind.PVP_STAKE, Kind.SPECTATOR_PASS, Kind.ENTRY})
WALLET, DEBT, ESCROW, HOUSE = (kind.value for kind in Account.Kind)  # plain text: compared for every leg
KEPT = frozenset({WALLET, DEBT})
COVERS_DEBT = "Covers what was owed after a chargeback"
LARGEST_TOKENS = 10**15  # so that no sum of a ledger's lifetime leaves 64 bits


class House(StrEnum):
    """The house's own accounts."""

    ISSUANCE = "issuance"  # tokens that were sold
    PROMOTIONS = "promotions"  # tokens that were given: bonuses, rewards, grants
    RAKE = "rake"  # the house's share of pools
    SALES = "sales"  # what people paid for passes and the like
    FORFEITS = "forfeits"  # stakes that nobody may have
    ADJUSTMENTS = "adjustments"  # what operators put right


class InsufficientTokens(RuleRefusal):
    """Raised when a wallet holds less than it would pay."""

    code, message = "insufficient_tokens", "You do not have enough tokens."


class WalletFrozen(RuleRefusal):
    """Raised when a wallet may not spend: an operator froze it, or its person owes tokens after a chargeback."""

    code, message = "wallet_frozen", "Your wallet is frozen: it can receive tokens, and not spend them."


class TransferReused(Conflict):
    """Raised when one cause would move something else than it did before."""

    code, message = "transfer_reused", "This has been booked before, and differently."


class EscrowShort(Conflict):
    """Raised when more would leave an escrow than is in it."""

    code, message = "escrow_short", "Less is held in escrow than would be paid out."


class AccountRef(NamedTuple):
    """An account as the outside names it. Its id follows from the rest, so nothing has to be looked up."""

    id: UUID
    kind: str
    owner_id: UUID | None
    name: str


class Move(NamedTuple):
    """What a transfer does to one account. Units: tokens, signed: positive is received."""

    account: AccountRef
    amount_tokens: int


@dataclass(frozen=True, slots=True)
class Posting:
    """One transfer to be written.

    Shapes: at least two moves, on different accounts, that sum to zero; reason is one line of at most 200 characters; reference is
        the id of what caused it, of the type given to `transfer_many`.
    """

    id: UUID
    moves: Sequence[Move]
    reason: str
    reference: str = ""
    reverses: UUID | None = None


class Balance(NamedTuple):
    """A person's wallet after a transfer. Units: tokens; spent_today covers the UTC day of its last spending."""

    user_id: UUID
    balance_tokens: int
    debt_tokens: int
    spent_today_tokens: int


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a call: the wallets that moved, or, when `replayed`, as they are now."""

    replayed: bool
    balances: Sequence[Balance] = ()

    def of(self, user_id: UUID) -> Balance:
        """Give somebody's wallet, which must have been part of the transfer."""
        return next(found for found in self.balances if found.user_id == user_id)


# -- accounts -----------------------------------------------------------------------------------------------------------


def wallet(user_id: UUID) -> AccountRef:
    """Name a person's wallet."""
    return AccountRef(derived_id(user_id, "wallet"), WALLET, user_id, "")


def debt(user_id: UUID) -> AccountRef:
    """Name the account of what a person owes; its balance is zero or negative."""
    return AccountRef(derived_id(user_id, "debt"), DEBT, user_id, "")


def escrow(owner_id: UUID, name: str) -> AccountRef:
    """Name an escrow: owner_id is what it belongs to, name what it is for, such as "entries" of a competition."""
    return AccountRef(derived_id(owner_id, f"escrow:{name}"), ESCROW, owner_id, name)


def house(name: House) -> AccountRef:
    """Name one of the house's accounts."""
    return AccountRef(derived_id(NAMESPACE, f"house:{name.value}"), HOUSE, None, name.value)


# -- writing ------------------------------------------------------------------------------------------------------------


def move(
    kind: Kind,
    transfer_id: UUID,
    amount_tokens: int,
    *,
    source: AccountRef,
    target: AccountRef,
    reason: str,
    reference: tuple[str, object] = ("", ""),
    actor_id: UUID | None = None,
) -> Posted:
    """Move an amount from one account to another: `transfer_many` for one transfer with two legs.

    Units: amount_tokens > 0.
    """
    moves = [Move(source, -amount_tokens), Move(target, amount_tokens)]
    posting = Posting(transfer_id, moves, reason, str(reference[1]))
    return transfer_many(kind, [posting], reference_type=reference[0], actor_id=actor_id)


def transfer_many(
    kind: Kind, postings: Sequence[Posting], *, reference_type: str = "", actor_id: UUID | None = None
) -> Posted:
    """Write transfers of one kind, all or none, with a fixed number of statements.

    Shapes: any number of postings; none do nothing.
    Units: tokens, |amount| up to 10**15.
    Guarantees: a transfer whose id is there already moves nothing, if it says the same. A wallet never goes below zero, and pays from
        what it has, not from what the same call brings it. A frozen or indebted wallet receives and does not spend (`SPENDING`). An escrow
        never pays more than it holds. A credit to a wallet with a debt pays the debt first, with a transfer of its own.
    Locks / Effects: in the caller's transaction: the wallets named, then the debts, then the escrows that pay, each by id, until it
        ends. Who calls more than once in one transaction locks the wallets of all calls first (`lock_wallets`). Tells each person the new
        balance on commit.
    Raises: InsufficientTokens, WalletFrozen, EscrowShort, TransferReused: nothing was written, the transaction is still good.
        ValueError: legs that are no transfer. RuntimeError: no transaction is open.
    """
    require_transaction()
    if not postings:
        return Posted(replayed=True)
    simple = len(postings) == 1 and _is_simple(postings[0])
    write = _move if simple else _post
    posted = write(kind, postings, reference_type, actor_id)
    if not posted.replayed:
        posted = _cover_debts(postings, posted, reference_type)
        broadcast.wallets_changed(posted.balances)
    return posted


def claw_back(
    user_id: UUID,
    transfer_id: UUID,
    amount_tokens: int,
    *,
    target: AccountRef,
    reason: str,
    reference: tuple[str, object],
    actor_id: UUID | None = None,
) -> Posted:
    """Take tokens back whether they are still there or not: what the wallet lacks becomes a debt, which freezes spending.

    Units: amount_tokens > 0.
    Guarantees: the wallet ends at zero at the lowest; doing it again moves nothing.
    Locks / Effects: as `transfer_many`; the wallet first.
    Raises: TransferReused. RuntimeError: no transaction is open.
    """
    require_transaction()
    of_wallet, of_debt = wallet(user_id), debt(user_id)
    paid = min(amount_tokens, _hold_wallet(user_id).balance_tokens)
    booked = dict(Leg.objects.filter(transfer_id=transfer_id).values_list("account_id", "amount_tokens"))
    if booked:  # again: the same parts as then
        paid = -booked.get(of_wallet.id, 0)
    parts = [Move(of_wallet, -paid), Move(of_debt, paid - amount_tokens), Move(target, amount_tokens)]
    moves = [part for part in parts if part.amount_tokens]
    posting = Posting(transfer_id, moves, reason, str(reference[1]))
    return transfer_many(Kind.CHARGEBACK, [posting], reference_type=reference[0], actor_id=actor_id)


def reverse(kind: Kind, transfer_id: UUID, *, reason: str, actor_id: UUID | None = None) -> Posted:
    """Take a transfer back with a new one that moves the opposite; doing it again moves nothing.

    Locks / Effects: as `transfer_many`.
    Raises: NotFound: there is no such transfer. InsufficientTokens: whoever received has spent it (see `claw_back`).
        RuntimeError: no transaction is open.
    """
    original = Transfer.objects.filter(pk=transfer_id).first()
    if original is None:
        raise NotFound("There is no such transfer.")
    legs = original.legs.select_related("account").order_by("id")
    moves = [
        Move(AccountRef(leg.account_id, leg.account.kind, leg.account.owner_id, leg.account.name), -leg.amount_tokens)
        for leg in legs
    ]
    posting = Posting(derived_id(transfer_id, "reversal"), moves, reason, original.reference_id, reverses=transfer_id)
    return transfer_many(kind, [posting], reference_type=original.reference_type, actor_id=actor_id)


def is_posted(transfer_id: UUID) -> bool:
    """Tell whether a transfer has been written."""
    return Transfer.objects.filter(pk=transfer_id).exists()


def lock_wallets(user_ids: Iterable[UUID]) -> dict[UUID, Account]:
    """Hold people's wallets for the rest of the transaction, and read them as they are now.

    Shapes: user id -> wallet; people who never had a token have none, and are absent.
    Locks / Effects: the wallets' rows in order of their ids, before any other account of the ledger.
    Raises: RuntimeError: no transaction is open.
    """
    wallets = lock_rows(Account, [wallet(user_id).id for user_id in user_ids])
    return {found.owner_id: found for found in wallets.values() if found.owner_id is not None}


def wallet_set_frozen(user_id: UUID, reason: str | None) -> bool:
    """Freeze a wallet's spending with a reason, or thaw it (None); False when it was so already.

    Locks / Effects: in the caller's transaction: the wallet's row, made when there is none.
    Raises: RuntimeError: no transaction is open.
    """
    require_transaction()
    held = _hold_wallet(user_id)
    if (held.frozen_at is None) == (reason is None):
        return False
    held.frozen_at, held.frozen_reason = (None, "") if reason is None else (database_now(), reason[:200])
    held.save(update_fields=["frozen_at", "frozen_reason"])
    return True


def _hold_wallet(user_id: UUID) -> Account:
    """Lock a wallet, made when its person never had a token."""
    named = wallet(user_id)
    Account.objects.get_or_create(pk=named.id, defaults={"kind": named.kind, "owner_id": named.owner_id})
    return lock_row(Account, named.id)


# -- how it is written --------------------------------------------------------------------------------------------------

# A single transfer between two accounts has a function of its own: planning for many costs several times as much.
_MOVE = """
    SELECT outcome, subject, balance_tokens, debt_tokens, spent_on_day_tokens
    FROM ledger_move(%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_POST = """
    SELECT outcome, subject, balance_tokens, debt_tokens, spent_on_day_tokens FROM ledger_post(
        %s, %s, %s::uuid,
        %s::uuid[], ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)), ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)), %s::uuid[],
        %s::uuid[], %s::text[], %s::uuid[], ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)), %s::boolean[],
        %s::int[], %s::int[], %s::bigint[], %s::boolean[])
"""


def _is_simple(posting: Posting) -> bool:
    kinds = {one.account.kind for one in posting.moves}
    return len(posting.moves) == 2 and posting.reverses is None and DEBT not in kinds


def _move(kind: Kind, postings: Sequence[Posting], reference_type: str, actor_id: UUID | None) -> Posted:
    (posting,) = postings
    _check(posting)
    paid, received = sorted(posting.moves, key=lambda one: one.amount_tokens)
    reference = posting.reference
    values = (kind.value, posting.id, posting.reason, reference_type, reference, actor_id, received.amount_tokens)
    rows = statements.fetch(_MOVE, (*values, *paid.account, *received.account))
    return _outcome(rows, postings, (paid.account, received.account))


def _post(kind: Kind, postings: Sequence[Posting], reference_type: str, actor_id: UUID | None) -> Posted:
    places: dict[int, int] = {}  # of the accounts, by their ids as numbers, which hash faster
    named: list[AccountRef] = []
    held: list[bool] = []
    legs: list[tuple[int, int, int, bool]] = []
    for number, posting in enumerate(postings, 1):
        _check(posting)
        # where no kept account takes part, the payer's chain vouches for the transfer
        kept = any(account.kind in KEPT for account, _ in posting.moves)
        payer = None if kept else next(account.id for account, amount in posting.moves if amount < 0)
        for account, amount in posting.moves:
            place = places.setdefault(account.id.int, len(named) + 1)
            if place > len(named):
                named.append(account)
                held.append(False)
            chained = account.kind in KEPT or account.id == payer
            if chained or (amount < 0 and account.kind == ESCROW):
                held[place - 1] = True
            legs.append((number, place, amount, chained))
    values = (
        kind.value, reference_type, actor_id,
        _ids(one.id for one in postings), _texts(one.reason for one in postings),
        _texts(one.reference for one in postings), _ids(one.reverses for one in postings),
        _ids(one.id for one in named), _array(one.kind for one in named), _ids(one.owner_id for one in named),
        _texts(one.name for one in named), _array(map(int, held)),
        *(_array(map(int, column)) for column in zip(*legs, strict=True)),
    )  # fmt: skip
    return _outcome(statements.fetch(_POST, values), postings, named)


def _ids(values: Iterable[UUID | None]) -> str:
    return _array("NULL" if one is None else f"{one.int:032x}" for one in values)


def _array(values: Iterable[int | str]) -> str:
    """Write ids, numbers and plain words as an array of SQL; a hundred thousand of them cost less than handed over one by one."""
    return f"{{{','.join(map(str, values))}}}"


def _texts(values: Iterable[str]) -> str:
    return orjson.dumps(list(values)).decode()


def _check(posting: Posting) -> None:
    """Refuse what is no transfer."""
    amounts = [amount for _, amount in posting.moves]
    if len(amounts) < 2 or sum(amounts) != 0 or 0 in amounts or max(map(abs, amounts)) > LARGEST_TOKENS:
        raise ValueError(f"the legs of transfer {posting.id} are not a transfer: {amounts}")
    if len({account.id.int for account, _ in posting.moves}) != len(amounts):
        raise ValueError(f"an account stands twice in transfer {posting.id}")
    if not _is_reason(posting.reason):
        raise ValueError("a reason is one line of 1 to 200 characters")


@lru_cache(maxsize=64)
def _is_reason(text: str) -> bool:
    return 0 < len(text) <= 200 and text.isprintable()


def _outcome(
    rows: Sequence[tuple[str, int, int, int, int]], postings: Sequence[Posting], named: Sequence[AccountRef]
) -> Posted:
    """Read what the database said: accounts and postings by their places."""
    outcome, place = rows[0][:2] if rows else ("posted", 1)
    match outcome:
        case "insufficient":
            raise InsufficientTokens(balance_tokens=rows[0][2])
        case "frozen":
            raise WalletFrozen(
                "Your wallet is frozen until what you owe is covered." if rows[0][3] else None, debt_tokens=rows[0][3]
            )
        case "escrow_short":
            raise EscrowShort(account_id=str(named[place - 1].id))
        case "reused":
            raise TransferReused(transfer_id=str(postings[place - 1].id))
    owners = [account.owner_id for account in named]
    balances = [Balance(cast(UUID, owners[place - 1]), *held) for _, place, *held in rows]  # wallets have an owner
    return Posted(replayed=outcome == "replayed", balances=balances)


def _cover_debts(postings: Sequence[Posting], posted: Posted, reference_type: str) -> Posted:
    """Let what a person received pay what the person owes."""
    owing = {found.user_id: found for found in posted.balances if found.debt_tokens and found.balance_tokens}
    if not owing:
        return posted
    received = {
        account.owner_id: posting
        for posting in postings
        for account, amount in posting.moves
        if account.kind == WALLET and account.owner_id in owing and amount > 0
    }
    covers, after = [], {found.user_id: found for found in posted.balances}
    for user_id, posting in received.items():
        assert user_id is not None  # it is among those who owe
        found = owing[user_id]
        amount = min(found.balance_tokens, found.debt_tokens)
        moves = [Move(wallet(user_id), -amount), Move(debt(user_id), amount)]
        cover = Posting(derived_id(posting.id, f"covers the debt of {user_id}"), moves, COVERS_DEBT, posting.reference)
        covers.append(cover)
        left, owed = found.balance_tokens - amount, found.debt_tokens - amount
        after[user_id] = Balance(user_id, left, owed, found.spent_today_tokens)
    _post(Kind.CHARGEBACK, covers, reference_type, None)
    return Posted(replayed=False, balances=list(after.values()))
