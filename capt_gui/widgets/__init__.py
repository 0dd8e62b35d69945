"""Reusable and dumb: values in, signals out."""
