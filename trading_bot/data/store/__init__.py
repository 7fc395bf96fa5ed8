"""The local history store: a folder in which daily bars of thousands of symbols are read fast and grow by the day.

```text
prices/
  manifest.json   symbols, sessions, a checksum of each session's row, splits, sectors, where the bars are from
  bars-1.f64      a row a session: open of all symbols, then high, low, close and volume, then the benchmark's close
  lock            held by the process that writes
```

Numbers are little-endian float64, NaN where there is no bar. A row is whole in one place, so the last
504 sessions are one stretch of the file, and a day is one write at its end. What the manifest does
not name is not there: a day is committed by the manifest that takes the old one's place, and whatever
else changes is written to a new file of bars first. So a reader has the old store or the new one, and
so has everybody after a kill or a power cut.
"""
