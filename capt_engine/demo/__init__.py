"""The bundled toy world and the tiny CLIP that knows it."""
