"""The relay for calls: which addresses it uses, and a small client that asks it for real."""
