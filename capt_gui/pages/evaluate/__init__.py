"""The page where labelled pictures are evaluated with suites of attacks."""
