"""From a source to batches: reading, splitting, cleaning, features."""
