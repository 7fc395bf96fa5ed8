"""What all tables are part of."""

from __future__ import annotations

from sqlalchemy import MetaData

metadata = MetaData()

THE_ROW = 1  # control, lease and account have one row each
