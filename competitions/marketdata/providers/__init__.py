"""Where quotes come from: one module a source, each behind `base.Provider`. How to add one: docs/market-data.md#providers."""
