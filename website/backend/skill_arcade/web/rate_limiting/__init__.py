"""Rate limits of requests, messages, frames and bytes. `table.py` has all of them."""
