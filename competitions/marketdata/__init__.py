"""Market data: providers → feed (quality, stamps, leadership) → bus → candles. Rules: docs/rules/quotes.md, how: docs/market-data.md."""
