"""Weights and prompts as their authors published them, brought into the formats of this program.

`families.py` lists them all. Nothing heavy may be imported here: the process that reads strangers' files begins with this page.
"""
