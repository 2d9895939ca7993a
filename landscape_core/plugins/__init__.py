"""Networks of your own: a Python file or an installed module with one function that returns a `Task`."""
