"""People and what belongs to them, whom they follow, what they are told, and the mails that went out.

Rules: docs/rules/accounts.md, docs/rules/notices.md.
"""

from accounts.models.integrity import IntegrityCase, IntegrityLook
from accounts.models.mail import Mail, MailStop, MailTemplate
from accounts.models.notices import NoticeChoice, Notification
from accounts.models.own_data import DataExport, Deletion
from accounts.models.people import ApiToken, AuditLog, SelfLimits, Sighting, User, UserManager, UsernameHistory
from accounts.models.social import Block, Follow
from accounts.models.switches import Halt

__all__ = [
    "ApiToken",
    "AuditLog",
    "Block",
    "DataExport",
    "Deletion",
    "Follow",
    "Halt",
    "IntegrityCase",
    "IntegrityLook",
    "Mail",
    "MailStop",
    "MailTemplate",
    "NoticeChoice",
    "Notification",
    "SelfLimits",
    "Sighting",
    "User",
    "UserManager",
    "UsernameHistory",
]
