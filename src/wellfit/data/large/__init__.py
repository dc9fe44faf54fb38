"""Tables larger than memory: rows in batches, a bounded sample of them, and shards on disk that training reads."""
