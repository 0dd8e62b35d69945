"""The scripted tour: somebody uses the real window on the real engine, and what is seen is asserted and may be photographed."""
