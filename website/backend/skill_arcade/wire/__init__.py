"""The protocol of the play socket: messages, binary packets and close codes. Imports nothing else of the package."""
