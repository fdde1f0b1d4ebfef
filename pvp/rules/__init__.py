"""Pure rules of challenges: which state follows which, what terms hold, who gets the stakes. No database here."""
