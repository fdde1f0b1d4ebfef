"""Participants that are programs: they know the arena only from outside, by REST and WebSocket, as anybody's bot would.

Nothing here imports the apps, the database or Django. How to write one: docs/bots.md.
"""
