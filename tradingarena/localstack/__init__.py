"""What one machine needs to run everything: real PostgreSQL and Redis from pip wheels, a supervisor for our processes.

Nothing in the apps or the settings imports this package; they read DATABASE_URL and REDIS_URL. The decisions are in
docs/architecture.md.
"""
