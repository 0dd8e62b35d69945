"""A tiny plug-in package: an attack, a metric, a tuning method, a family of prompts, and two things that are broken."""
