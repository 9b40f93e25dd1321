"""A fake of the Google, Firebase and GitHub APIs that the scripts use. It keeps state, rejects what Google rejects, and
fails where a test tells it to."""
