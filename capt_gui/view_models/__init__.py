"""State for the eye: what the window knows, tested without showing a widget."""
