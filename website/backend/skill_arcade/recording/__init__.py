"""The journal: files on this server's disk to which every step is appended before its frame is sent."""
