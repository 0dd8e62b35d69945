"""The result store: what was computed of a picture once is looked up afterwards, by hashes of all that it depends on."""
