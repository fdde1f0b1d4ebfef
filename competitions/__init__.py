"""Contests, market data, execution, standings."""
