"""How far a piece of work has come, shown to whoever waits: on a terminal, in a notebook, to another program."""
