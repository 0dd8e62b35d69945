"""A tiny plug-in package: an attack, a metric, a tuning method, a family of prompts, and what is broken or does not fit."""
