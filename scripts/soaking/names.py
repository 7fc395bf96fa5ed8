"""Words that the soak and its plug-in share. Importing the plug-in itself would register it."""

NAME = "soak"  # of the broker and of the price source
AMBUSH, CAUGHT, SOFT_FAULTS = "ambush.json", "caught", "soft-faults.txt"  # files in the soak's folder
BOOK_COMMIT, BOOK_COMMITTED = "before commit of the book", "after commit of the book"
PAPER_COMMIT = "before commit of the broker"
