"""The commands, by what they are about. Each speaks to the API and words the answer; none decides anything."""
