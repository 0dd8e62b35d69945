"""The page where pictures are dropped, attacked and compared."""
