"""Sessions: the pictures, results and choices of a window as one file, and the journal that survives a crash."""
