"""The Models page: what can be had, what is here, and getting it with consent."""
