"""The console: server-rendered pages for the five people who use OnePAM."""
