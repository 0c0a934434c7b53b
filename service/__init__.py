"""The top floor: the web service, its desks, and the command line that wires everything."""
