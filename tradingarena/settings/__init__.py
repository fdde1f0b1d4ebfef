"""Settings are a function of the environment; `env.py` reads it, `base.py` turns it into Django's names."""
