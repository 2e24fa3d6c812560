"""`caw studio`: the toolkit on a page of the browser, served on this machine."""
