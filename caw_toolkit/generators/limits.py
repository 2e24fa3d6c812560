"""How large generators may be: what training refuses, and what model files are checked for, without loading torch."""

#: Samples in a frame of a flow.
MOST_FRAME_SAMPLES = 65536
#: Subbands of a conditional Gaussian: the basis of its lapped transform takes memory by the square.
MOST_BANDS = 4096
#: The same where audio is extended: the excitation has eight times as many.
MOST_EXTENDED_BANDS = 1024
