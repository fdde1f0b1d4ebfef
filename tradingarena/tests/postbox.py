"""A mail server for tests: takes mail over real SMTP, or says why not."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, cast

from aiosmtpd.controller import Controller

from tradingarena.tests.flows.arena import until

CODE = re.compile(r"^\s*([A-Z0-9]{4}-[A-Z0-9]{4})\s*$", re.MULTILINE)


class Postbox:
    """What has arrived, and which addresses are refused with which answer."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []
        self.refuse: dict[str, str] = {}
        self.port = 0

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        await asyncio.sleep(0)
        self.mails.append(cast(EmailMessage, message_from_bytes(envelope.content, policy=default)))
        return "250 OK"

    def wait_for(self, address: str, words: str) -> str:
        """Wait for a mail to an address with these words in its subject or text; give its text."""
        found: list[str] = []

        def arrived() -> bool:
            for mail in self.mails:
                text = text_of(mail)
                if mail["To"] == address and words in f"{mail['Subject']}\n{text}":
                    found.append(text)
            return bool(found)

        until(f"a mail with {words!r} reaches {address}", arrived, patience_s=15)
        return found[-1]

    def code_for(self, address: str) -> str:
        """Wait for the confirmation code that was sent to somebody."""

        def look() -> str | None:
            texts = [text_of(mail) for mail in list(self.mails) if mail["To"] == address]
            codes = [found[1] for text in texts if (found := CODE.search(text))]
            return codes[-1] if codes else None

        return str(until(f"a code is mailed to {address}", look))


def text_of(mail: EmailMessage) -> str:
    """Read a mail's plain text."""
    body = mail.get_body(("plain",))
    return "" if body is None else str(body.get_content())


@contextmanager
def open_at(port: int) -> Iterator[Postbox]:
    """Take mail at a port for the length of a block."""
    box = Postbox()
    box.port = port
    controller = Controller(box, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
