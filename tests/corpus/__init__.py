"""Speech whose words are known, made from what Debian packages carry; nothing of it is in the repository.

English is read by people (`english`); Mandarin is put together from the syllables of one (`mandarin`). What a line does
to it is in `lines`, what is no speech in `noises`, three people in one conference in `scene`, and how far a text is
from what was said in `scores`.
"""
