"""The only writer of value: transfers between accounts, whose legs sum to zero and which are never changed afterwards.

What may be bought or staked, and by whom, is decided in `services/`; card payments are in `payments/`. Rules: docs/rules/tokens.md.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple
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
KEPT = frozenset({Account.Kind.WALLET, Account.Kind.DEBT})
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
    """A wallet after a transfer. Units: tokens; spent_today covers the UTC day of its last spending."""

    account_id: UUID
    balance_tokens: int
    debt_tokens: int
    spent_today_tokens: int


@dataclass(frozen=True, slots=True)
class Posted:
    """What became of a call: the wallets that moved, by account id, or, when `replayed`, as they are now."""

    replayed: bool
    wallets: dict[UUID, Balance] = field(default_factory=dict)

    def of(self, user_id: UUID) -> Balance:
        """Give somebody's wallet, which must have been part of the transfer."""
        return self.wallets[wallet(user_id).id]


# -- accounts -----------------------------------------------------------------------------------------------------------


def wallet(user_id: UUID) -> AccountRef:
    """Name a person's wallet."""
    return AccountRef(derived_id(user_id, "wallet"), Account.Kind.WALLET, user_id, "")


def debt(user_id: UUID) -> AccountRef:
    """Name the account of what a person owes; its balance is zero or negative."""
    return AccountRef(derived_id(user_id, "debt"), Account.Kind.DEBT, user_id, "")


def escrow(owner_id: UUID, name: str) -> AccountRef:
    """Name an escrow: owner_id is what it belongs to, name what it is for, such as "entries" of a competition."""
    return AccountRef(derived_id(owner_id, f"escrow:{name}"), Account.Kind.ESCROW, owner_id, name)


def house(name: House) -> AccountRef:
    """Name one of the house's accounts."""
    return AccountRef(derived_id(NAMESPACE, f"house:{name.value}"), Account.Kind.HOUSE, None, name.value)


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
        owners = {one.account.id: one.account.owner_id for posting in postings for one in posting.moves}
        broadcast.wallets_changed(
            {owner: posted.wallets[pk] for pk, owner in owners.items() if owner and pk in posted.wallets}
        )
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
        %s, %s, %s::uuid, %s::uuid[],
        ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)), ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)), %s::uuid[],
        %s::uuid[], %s::bigint[], %s::boolean[], %s::uuid[], %s::text[], %s::uuid[], %s::text[], %s::uuid[])
"""


def _is_simple(posting: Posting) -> bool:
    kinds = {one.account.kind for one in posting.moves}
    return len(posting.moves) == 2 and posting.reverses is None and Account.Kind.DEBT not in kinds


def _move(kind: Kind, postings: Sequence[Posting], reference_type: str, actor_id: UUID | None) -> Posted:
    (posting,) = postings
    _check(posting)
    paid, received = sorted(posting.moves, key=lambda one: one.amount_tokens)
    reference = posting.reference
    values = (kind.value, posting.id, posting.reason, reference_type, reference, actor_id, received.amount_tokens)
    return _outcome(statements.fetch(_MOVE, (*values, *paid.account, *received.account)))


def _post(kind: Kind, postings: Sequence[Posting], reference_type: str, actor_id: UUID | None) -> Posted:
    accounts: dict[UUID, AccountRef] = {}
    locked: set[UUID] = set()
    legs: list[tuple[Posting, Move, bool]] = []
    for posting in postings:
        payer = _check(posting)
        for one in posting.moves:
            accounts[one.account.id] = one.account
            chained = one.account.kind in KEPT or one.account.id == payer
            if chained or (one.amount_tokens < 0 and one.account.kind == Account.Kind.ESCROW):
                locked.add(one.account.id)
            legs.append((posting, one, chained))
    named = list(accounts.values())
    values = (
        kind.value, reference_type, actor_id,
        _array(posting.id for posting, *_ in legs), _texts(posting.reason for posting, *_ in legs),
        _texts(posting.reference for posting, *_ in legs), _array(posting.reverses or "NULL" for posting, *_ in legs),
        _array(one.account.id for _, one, _ in legs), _array(one.amount_tokens for _, one, _ in legs),
        _array(int(link) for *_, link in legs), _array(one.id for one in named), [one.kind for one in named],
        _array(one.owner_id or "NULL" for one in named), [one.name for one in named], _array(locked),
    )  # fmt: skip
    return _outcome(statements.fetch(_POST, values))


def _array(values: Iterable[UUID | int | str]) -> str:
    """Write ids and numbers as an array of SQL; a hundred thousand of them cost less than handed over one by one."""
    return f"{{{','.join(map(str, values))}}}"


def _texts(values: Iterable[str]) -> str:
    return orjson.dumps(list(values)).decode()


def _check(posting: Posting) -> UUID | None:
    """Refuse what is no transfer; give the account that pays and is chained where no kept account takes part."""
    amounts = [one.amount_tokens for one in posting.moves]
    if len(amounts) < 2 or sum(amounts) != 0 or not all(0 < abs(amount) <= LARGEST_TOKENS for amount in amounts):
        raise ValueError(f"the legs of transfer {posting.id} are not a transfer: {amounts}")
    if len({one.account.id for one in posting.moves}) != len(amounts):
        raise ValueError(f"an account stands twice in transfer {posting.id}")
    if not posting.reason or len(posting.reason) > 200 or not posting.reason.isprintable():
        raise ValueError("a reason is one line of 1 to 200 characters")
    if any(one.account.kind in KEPT for one in posting.moves):
        return None
    return next(one.account.id for one in posting.moves if one.amount_tokens < 0)


def _outcome(rows: Sequence[tuple[str, UUID, int, int, int]]) -> Posted:
    outcome, subject = rows[0][:2] if rows else ("posted", None)
    match outcome:
        case "insufficient":
            raise InsufficientTokens(balance_tokens=rows[0][2])
        case "frozen":
            raise WalletFrozen(
                "Your wallet is frozen until what you owe is covered." if rows[0][3] else None, debt_tokens=rows[0][3]
            )
        case "escrow_short":
            raise EscrowShort(account_id=str(subject))
        case "reused":
            raise TransferReused(transfer_id=str(subject))
    balances = {row[1]: Balance(*row[1:]) for row in rows}
    return Posted(replayed=outcome == "replayed", wallets=balances)


def _cover_debts(postings: Sequence[Posting], posted: Posted, reference_type: str) -> Posted:
    """Let what a person received pay what the person owes."""
    owing = {pk: found for pk, found in posted.wallets.items() if found.debt_tokens and found.balance_tokens}
    if not owing:
        return posted
    received = {
        one.account.id: (posting, one.account.owner_id)
        for posting in postings
        for one in posting.moves
        if one.account.id in owing and one.amount_tokens > 0
    }
    covers, wallets = [], dict(posted.wallets)
    for pk, (posting, user_id) in received.items():
        found = owing[pk]
        assert user_id is not None  # wallets have one
        amount = min(found.balance_tokens, found.debt_tokens)
        moves = [Move(wallet(user_id), -amount), Move(debt(user_id), amount)]
        cover = Posting(derived_id(posting.id, f"covers the debt of {user_id}"), moves, COVERS_DEBT, posting.reference)
        covers.append(cover)
        spent = found.spent_today_tokens
        wallets[pk] = Balance(pk, found.balance_tokens - amount, found.debt_tokens - amount, spent)
    _post(Kind.CHARGEBACK, covers, reference_type, None)
    return Posted(replayed=False, wallets=wallets)
