"""Request and response models of the HTTP API, one module for each group of routes.

Response fields have no defaults, so that no field is optional in generated types.
"""
