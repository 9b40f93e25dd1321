"""What the scripts of this folder leave to Python: JSON, HTTP and the socket. Standard library only.

It runs where credentials are, so nothing is installed for it.
"""
