"""Every unit of value: the ledger and card payments. Nothing below or beside it may write a balance."""
