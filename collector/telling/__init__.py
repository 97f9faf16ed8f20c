"""Who is told what, when: pure functions and a state machine on virtual time (docs/alerts.md).

`teller.py` decides what is to be said to whom, `post.py` what goes in which message and by which way, `messages.py` writes it;
`telling.py` and `store.py` do it in the live collector, `rehearsal.py` on a trace.
"""
