"""From utterances to text, job by job: which wait (queue.py), their sound (sound.py), what is written (writing.py)."""
