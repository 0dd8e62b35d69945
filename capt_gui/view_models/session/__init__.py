"""The session of the window: what it holds, where it was saved, and the journal that survives a crash."""
