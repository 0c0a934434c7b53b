"""Everything that is kept: keys, suggestions, dispositions, jobs, messages to portals, and who did what.

All SQL of the service lives here. Each module holds functions over an open connection, so that whoever calls
decides what happens in one transaction.
"""
