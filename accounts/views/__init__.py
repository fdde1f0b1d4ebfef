"""The pages of accounts: settings and traders, notifications and mail, whom one follows and blocks."""
