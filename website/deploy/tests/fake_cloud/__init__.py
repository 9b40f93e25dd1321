"""Google's APIs as far as the scripts use them: they keep state, say no where Google would, and fail where told to."""
