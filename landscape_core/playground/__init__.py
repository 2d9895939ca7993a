"""F's of two inputs: the whole idea where it can be seen, with a Θ that trains in seconds."""
