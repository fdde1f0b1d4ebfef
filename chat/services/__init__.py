"""The chat's doors: saying, deleting, tipping, reporting, moderating. Each opens its transaction and judges under its locks."""
