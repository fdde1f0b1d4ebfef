"""Reading the chat: who may be where, what was said, what holds against whom. Nothing here writes."""
