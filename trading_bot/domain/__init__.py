"""The words of the trade as frozen records, and the ports the rest of the house meets at."""
