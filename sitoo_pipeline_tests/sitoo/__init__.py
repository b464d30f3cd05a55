"""The Sitoo client, over real HTTP on loopback."""
