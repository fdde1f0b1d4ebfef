"""Moving the stand-in by hand: each verb is a Python method and, at `POST /_control/<verb>` from this machine, JSON.

What the verbs do to payments is in `checkout.py` and `returns.py`, to webhooks in `webhooks.py`, to requests in
`faults.py`.
"""

import asyncio
import inspect
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from tradingarena.localstack.fakestripe import checkout, returns
from tradingarena.localstack.fakestripe.asked import REASONS, NewRefund
from tradingarena.localstack.fakestripe.faults import Fault, Plan
from tradingarena.localstack.fakestripe.params import LARGEST
from tradingarena.localstack.fakestripe.rest import Rest
from tradingarena.localstack.fakestripe.state import State
from tradingarena.localstack.fakestripe.webhooks import MOST_AT_ONCE, WRONG_SECRET, Sender, as_shown
from tradingarena.localstack.fakestripe.wire import Asked, Values

LONGEST_ADVANCE_S = 10 * 365 * 86_400
LONGEST_WAIT_S = 60.0
SHOWN_KINDS = ("checkout.session", "payment_intent", "charge", "refund", "dispute", "event")
VERBS: dict[str, inspect.Signature] = {}
_Verb = TypeVar("_Verb", bound=Callable[..., Any])


def verb(method: _Verb) -> _Verb:
    """Let a method be called over HTTP as well."""
    VERBS[method.__name__] = inspect.signature(method)
    return method


class Control:
    """What can be done by hand, from any thread. Sessions, refunds and disputes are named by their ids.

    Shapes: a `payment` is a session's, a PaymentIntent's or a charge's id; what was changed is given back as it is shown.
    Raises: ApiError: Stripe would refuse it, or there is no such thing. FaultError, ValueError: it makes no sense.
    """

    state: State
    rest: Rest
    plan: Plan
    sender: Sender
    requests: deque[Asked]
    settles_in_s: float
    _loop: asyncio.AbstractEventLoop | None = None

    # -- customers ----------------------------------------------------------------------------------------------------

    @verb
    def pay(self, session: str) -> Values:
        """Pay by card."""
        return self.state.shown(checkout.pay(self.state, session))

    @verb
    def pay_later(self, session: str, settles_in_s: float | None = None, fails: bool = False) -> Values:
        """Pay from a bank account; the money arrives, or fails to, after a while or when `settle` or `fail_payment` says so."""
        settles_in_s = self.settles_in_s if settles_in_s is None else settles_in_s
        if not 0 <= settles_in_s <= LONGEST_ADVANCE_S:
            raise ValueError("settles_in_s is 0 or more")
        return self.state.shown(checkout.pay_later(self.state, session, settles_in_s=settles_in_s, fails=fails))

    @verb
    def decline(self, session: str, code: str = "card_declined") -> Values:
        """Try a card that is declined."""
        if code not in checkout.DECLINES:
            raise ValueError(f"code is one of: {', '.join(checkout.DECLINES)}")
        return self.state.shown(checkout.decline(self.state, session, code))

    @verb
    def ask(self, session: str) -> Values:
        """Try a card whose bank asks for confirmation; go on with `pay` or `refuse`."""
        return self.state.shown(checkout.ask(self.state, session))

    @verb
    def refuse(self, session: str) -> Values:
        """Do not confirm what was asked for."""
        return self.state.shown(checkout.refuse(self.state, session))

    # -- time ---------------------------------------------------------------------------------------------------------

    @verb
    def settle(self, session: str) -> Values:
        """Let a bank payment arrive now."""
        return self.state.shown(checkout.settle(self.state, session))

    @verb
    def fail_payment(self, session: str) -> Values:
        """Let a bank payment fail now."""
        return self.state.shown(checkout.fail(self.state, session))

    @verb
    def expire(self, session: str) -> Values:
        """Expire an open session now."""
        return self.state.shown(checkout.expire(self.state, session))

    @verb
    def advance(self, seconds: int) -> Values:
        """Advance the clock, and do what is due then: expire sessions, settle bank payments. It stays advanced."""
        if not 0 <= seconds <= LONGEST_ADVANCE_S - self.state.ahead_s:
            raise ValueError("the clock goes forward alone, and not for ever; see reset_clock")
        with self.state.store.change():
            self.state.ahead_s += seconds
        checkout.sweep(self.state)
        return {"now": self.state.now(), "ahead_s": self.state.ahead_s}

    @verb
    def reset_clock(self) -> Values:
        """Set the clock to the machine's again; what has happened stays."""
        with self.state.store.change():
            self.state.ahead_s = 0
        return {"now": self.state.now(), "ahead_s": 0}

    # -- the seller's dashboard, banks, and what nobody should be able to do --------------------------------------------

    @verb
    def refund(
        self, payment: str, amount: int | None = None, status: str = "succeeded", reason: str | None = None
    ) -> Values:
        """Give money back as from Stripe's dashboard: no request of the program is behind it."""
        self._check_refund_status(status)
        if reason is not None and reason not in REASONS:
            raise ValueError(f"reason is one of: {', '.join(REASONS)}")
        if amount is not None and amount < 1:
            raise ValueError("amount is 1 or more")
        wanted = NewRefund(payment, amount, {"reason": reason, "metadata": {}})
        return self.state.shown(returns.refund(self.state, wanted, status))

    @verb
    def next_refunds(self, status: str) -> Values:
        """Decide what refunds become that the program asks for: succeeded, pending or requires_action."""
        self._check_refund_status(status)
        self.rest.refund_status = status
        return {"status": status}

    @verb
    def refund_settle(self, refund: str) -> Values:
        """Let a pending refund arrive."""
        return self.state.shown(returns.refund_settle(self.state, refund))

    @verb
    def refund_fail(self, refund: str, reason: str = "lost_or_stolen_card") -> Values:
        """Let a refund fail, even one that had succeeded."""
        return self.state.shown(returns.refund_fail(self.state, refund, reason))

    @verb
    def dispute(self, payment: str, amount: int | None = None, reason: str = "fraudulent") -> Values:
        """Open a dispute."""
        return self.state.shown(returns.dispute(self.state, payment, amount=amount, reason=reason))

    @verb
    def dispute_win(self, dispute: str) -> Values:
        """Win a dispute: the money comes back."""
        return self.state.shown(returns.dispute_close(self.state, dispute, won=True))

    @verb
    def dispute_lose(self, dispute: str) -> Values:
        """Lose a dispute: the money is gone."""
        return self.state.shown(returns.dispute_close(self.state, dispute, won=False))

    @verb
    def alter(self, session: str, amount_total: int | None = None, currency: str | None = None) -> Values:
        """Change a session's amount or currency behind the program's back; no event tells of it."""
        fields = {"amount_total": amount_total, "amount_subtotal": amount_total, "currency": currency}
        changed = {name: value for name, value in fields.items() if value is not None}
        if amount_total is not None and not 0 <= amount_total <= LARGEST:
            raise ValueError(f"amount_total is from 0 to {LARGEST}")
        return self.state.shown(checkout.alter(self.state, session, **changed))

    # -- faults and webhooks --------------------------------------------------------------------------------------------

    @verb
    def fault(
        self,
        kind: str,
        times: int = 1,
        path: str = "/v1/",
        method: str = "",
        when: str = "before",
        kept: bool = False,
        hold_s: float = 60.0,
    ) -> list[dict[str, Any]]:
        """Let the next requests fail; see `faults.py` for what there is. Gives all that is planned."""
        self.plan.add(Fault(kind, times, path, method, when, kept, hold_s))
        return self.plan.shown()

    @verb
    def heal(self) -> list[dict[str, Any]]:
        """Plan no fault any more, and let go of requests that one holds."""
        self.plan.clear()
        return self.plan.shown()

    @verb
    def webhooks(
        self,
        paused: bool | None = None,
        delay_s: float | None = None,
        copies: int | None = None,
        order: str | None = None,
        at_once: bool | None = None,
        drop: int | None = None,
        stamp_off_s: int | None = None,
        secrets: Sequence[str] | None = None,
        wrong_secret: bool = False,
        first_retry_s: float | None = None,
        longest_retry_s: float | None = None,
        timeout_s: float | None = None,
    ) -> Values:
        """Change how webhooks are delivered; what is not named stays. Gives all settings."""
        given = dict(locals())
        chosen = {name: value for name, value in given.items() if name in as_shown(self.sender.manner)}
        changes = {name: value for name, value in chosen.items() if value is not None}
        if wrong_secret:
            changes["secrets"] = (WRONG_SECRET,)
        if "secrets" in changes:
            changes["secrets"] = tuple(changes["secrets"])
        manner = replace(self.sender.manner, **changes)
        manner.check()
        self.sender.manner = manner
        self.sender.wake()
        return as_shown(manner)

    @verb
    def send(
        self,
        event: str,
        times: int = 1,
        at_once: bool = False,
        stamp_off_s: int | None = None,
        secrets: Sequence[str] = (),
    ) -> list[int]:
        """Send an event now, besides its planned deliveries, and give what was answered; 0 is no answer."""
        if not 1 <= times <= MOST_AT_ONCE:
            raise ValueError(f"times is from 1 to {MOST_AT_ONCE}")
        if self._loop is None or not self.sender.url:
            raise ValueError("there is no endpoint to send to")
        self.state.need("event", event)
        one = partial(self.sender.send, event, stamp_off_s=stamp_off_s, secrets=tuple(secrets))

        async def all_of_them() -> list[int]:
            if at_once:
                return list(await asyncio.gather(*(one() for _ in range(times))))
            return [await one() for _ in range(times)]

        return asyncio.run_coroutine_threadsafe(all_of_them(), self._loop).result()

    @verb
    def wait_delivered(self, within_s: float = 10.0) -> bool:
        """Wait until no webhook is still to be delivered; tell whether that came true in time."""
        if not 0 <= within_s <= LONGEST_WAIT_S:
            raise ValueError(f"within_s is from 0 to {LONGEST_WAIT_S:.0f}")
        deadline = time.monotonic() + within_s
        while self.sender.pending() or self.sender.underway:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        return True

    # -- looking --------------------------------------------------------------------------------------------------------

    @verb
    def dump(self) -> Values:
        """Give everything that has happened and everything that is planned."""
        store = self.state.store
        objects = {kind: [self.state.shown(each) for each in store.newest(kind)] for kind in SHOWN_KINDS}
        return {
            "now": self.state.now(),
            "ahead_s": self.state.ahead_s,
            "webhooks": as_shown(self.sender.manner) | {"url": self.sender.url, "pending": self.sender.pending()},
            "attempts": [each._asdict() for each in list(self.sender.attempts)],
            "faults": self.plan.shown(),
            "requests": [each._asdict() for each in list(self.requests)],
            "objects": objects,
        }

    def events(self, *, of: str = "") -> list[Values]:
        """Give the events in the order in which they happened; `of` an object, those about it alone."""
        events = self.state.store.newest("event")[::-1]
        return [event for event in events if not of or event["data"]["object"]["id"] == of]

    def _check_refund_status(self, status: str) -> None:
        if status not in returns.REFUND_STATES:
            raise ValueError(f"status is one of: {', '.join(returns.REFUND_STATES)}")
