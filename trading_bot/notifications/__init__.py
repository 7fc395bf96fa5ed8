"""Tell people who are not looking: one notice over every channel they chose."""
