"""A whole contest on recorded quotes: scripted entrants, the real feed and engine, and a recount of what they leave behind."""
