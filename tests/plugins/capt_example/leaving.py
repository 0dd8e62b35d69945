"""It ends the program that loads it."""

raise SystemExit("away with it")
