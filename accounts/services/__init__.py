"""The doors of accounts: each opens its own transaction, changes one thing, and writes down what it changed."""
