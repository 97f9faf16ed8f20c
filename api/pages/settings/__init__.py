"""The pages of what is set: a row for each kind of thing (`pages.py`), on the resources of `/api/v1/`, so that forms and calls obey the same rules."""
