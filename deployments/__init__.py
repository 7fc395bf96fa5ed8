"""How flows are deployed, served and controlled."""
