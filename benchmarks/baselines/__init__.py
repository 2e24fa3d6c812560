"""Classical methods that need seconds and no model. Signals are mono `(samples,)`, full scale 1.0."""
