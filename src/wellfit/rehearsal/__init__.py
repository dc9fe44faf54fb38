"""What small trainings tell of a network before the real one: can it learn at all, and is there something to learn?"""

from wellfit.rehearsal.rehearsing import Rehearsal, rehearse

__all__ = ["Rehearsal", "rehearse"]
