"""News of a person in an event: contact, welfare and movement, three independent histories."""
