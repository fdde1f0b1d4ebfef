"""Public live sessions: who may watch what, and how many do."""
