"""Saliency: where in a picture a model's answer comes from, and which of its patches an attack moved."""
